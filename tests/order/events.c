/* SPDX-License-Identifier: MIT */
/*
 * The functions that the compiler calls with -fsanitize=thread, before each access to memory and for each
 * atomic operation, whose meaning here is C11's and not the machine's: an x86 orders more than it is asked
 * for.
 *
 * ThreadSanitizer's own library is not used: it keeps its state where the FS base leads, which is the
 * coroutine's, knows no kernel threads but those of pthread_create, and uses vector registers.
 *
 *   ORDER_RELAX=PC,PC,...  these atomic operations are taken for relaxed ones: a mutation without a build
 *   ORDER_SITES=1          says where atomic operations are that are more than relaxed
 *   ORDER_FIRST=1          ends the process at the first race, with status 66
 *
 * Otherwise a process with races ends with status 66 when it would end.
 */
#include <elf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "../../core/log.h"
#include "../../core/raw.h"
#include "clock.h"
#include "shadow.h"

enum { MOST_RELAXED = 256, SITES = 4096 };

static uint32_t relaxed[MOST_RELAXED];
static unsigned relaxed_count;
static bool tell_sites;
static _Atomic uint32_t sites[SITES];

#define HERE  ((uintptr_t)__builtin_return_address(0))
#define EVENT __attribute__((visibility("default"), used))

/* Of the object that this is linked into, a program or a library. */
static void find_bias(void)
{
    extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
    const Elf64_Phdr *header = (const Elf64_Phdr *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    while (header->p_type != PT_LOAD)
        header++;
    order_bias = (uintptr_t)&__ehdr_start - header->p_vaddr;
}

static void read_environment(void)
{
    const char *list = getenv("ORDER_RELAX");
    while (list && *list && relaxed_count < MOST_RELAXED) {
        char *end;
        relaxed[relaxed_count++] = (uint32_t)strtoul(list, &end, 10);
        list = *end ? end + 1 : end;
    }
    tell_sites = getenv("ORDER_SITES");
    order_ends_at_once = getenv("ORDER_FIRST");
}

EVENT void __tsan_init(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    order_thread_begin(order_thread_take(0));
    find_bias();
    read_environment();
}

static __attribute__((destructor)) void finish(void)
{
    if (order_races())
        weft_raw1(SYS_exit_group, 66);
}

EVENT void __tsan_func_entry(void *caller)
{
    (void)caller;
}

EVENT void __tsan_func_exit(void) {}

#define PLAIN(size)                                                \
    EVENT void __tsan_read##size(void *address)                    \
    {                                                              \
        order_access((uintptr_t)address, size, ORDER_READ, HERE);  \
    }                                                              \
    EVENT void __tsan_write##size(void *address)                   \
    {                                                              \
        order_access((uintptr_t)address, size, ORDER_WRITE, HERE); \
    }                                                              \
    EVENT void __tsan_unaligned_read##size(void *address)          \
    {                                                              \
        order_access((uintptr_t)address, size, ORDER_READ, HERE);  \
    }                                                              \
    EVENT void __tsan_unaligned_write##size(void *address)         \
    {                                                              \
        order_access((uintptr_t)address, size, ORDER_WRITE, HERE); \
    }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

EVENT void __tsan_read_range(void *address, unsigned long size)
{
    order_access((uintptr_t)address, size, ORDER_READ, HERE);
}

EVENT void __tsan_write_range(void *address, unsigned long size)
{
    order_access((uintptr_t)address, size, ORDER_WRITE, HERE);
}

static bool acquires(int order)
{
    return order != memory_order_relaxed && order != memory_order_release;
}

static bool releases(int order)
{
    return order == memory_order_release || order == memory_order_acq_rel || order == memory_order_seq_cst;
}

static bool is_first_time(uint32_t place)
{
    for (uint32_t i = 0; i < SITES; i++) {
        uint32_t is = 0;
        if (atomic_compare_exchange_strong(&sites[(place + i) % SITES], &is, place) || is == place)
            return is == 0;
    }
    return false;
}

/* The order that counts. Not with an address locked: it may write a line. */
static int order_at(int order, uintptr_t pc)
{
    uint32_t place = (uint32_t)(pc - order_bias);
    if (order == memory_order_relaxed)
        return order;
    for (unsigned i = 0; i < relaxed_count; i++)
        if (relaxed[i] == place)
            return memory_order_relaxed;
    if (tell_sites && is_first_time(place)) {
        struct weft_line line = {0};
        weft_line_text(&line, "order: site: pc=");
        weft_line_number(&line, place);
        weft_line_text(&line, "\n");
        weft_line_write(&line, 2);
    }
    return order;
}

/* Around an operation that is done with the address locked. */
static void after_load(struct order_thread *self, struct order_clock *released, int order)
{
    if (!released)
        return;
    order_join(acquires(order) ? &self->now : &self->to_acquire, released);
}

/* A store begins a new release sequence, a read-modify-write goes on with the one that it finds. */
static void before_store(struct order_thread *self, struct order_clock *released, int order, bool goes_on)
{
    if (!released)
        return;
    const struct order_clock *tells = releases(order) ? &self->now : &self->released;
    if (goes_on)
        order_join(released, tells);
    else
        order_copy(released, tells);
    if (releases(order))
        order_tick(self);
}

/* NULL: unnoticed, see order_lock. */
static struct order_clock *begin_atomic(volatile void *address, uintptr_t size, unsigned kind, uintptr_t pc)
{
    order_access((uintptr_t)address, size, kind | ORDER_ATOMIC, pc);
    return order_lock((uintptr_t)address) ? order_released_at((uintptr_t)address) : NULL;
}

static void end_atomic(const volatile void *address, const struct order_clock *released)
{
    if (released)
        order_unlock((uintptr_t)address);
}

#define MODIFY(bits, type, name, operation)                                                                 \
    EVENT type __tsan_atomic##bits##_##name(volatile type *address, type value, int order)                  \
    {                                                                                                       \
        order = order_at(order, HERE);                                                                      \
        struct order_clock *released = begin_atomic(address, sizeof(type), ORDER_READ | ORDER_WRITE, HERE); \
        after_load(order_thread(), released, order);                                                        \
        before_store(order_thread(), released, order, true);                                                \
        type result = operation(address, value, __ATOMIC_SEQ_CST);                                          \
        end_atomic(address, released);                                                                      \
        return result;                                                                                      \
    }

#define COMPARE(bits, type)                                                                                  \
    static bool compare##bits(volatile type *address, type *expected, type value, int order, int failure,    \
                              uintptr_t pc)                                                                  \
    {                                                                                                        \
        order = order_at(order, pc);                                                                         \
        struct order_clock *released = begin_atomic(address, sizeof(type), ORDER_READ | ORDER_WRITE, pc);    \
        bool done = __atomic_compare_exchange_n(address, expected, value, false, __ATOMIC_SEQ_CST,           \
                                                __ATOMIC_SEQ_CST);                                           \
        after_load(order_thread(), released, done || order == memory_order_relaxed ? order : failure);       \
        if (done)                                                                                            \
            before_store(order_thread(), released, order, true);                                             \
        end_atomic(address, released);                                                                       \
        return done;                                                                                         \
    }                                                                                                        \
    EVENT int __tsan_atomic##bits##_compare_exchange_strong(volatile type *address, type *expected,          \
                                                            type value, int order, int failure)              \
    {                                                                                                        \
        return compare##bits(address, expected, value, order, failure, HERE);                                \
    }                                                                                                        \
    EVENT int __tsan_atomic##bits##_compare_exchange_weak(volatile type *address, type *expected,            \
                                                          type value, int order, int failure)                \
    {                                                                                                        \
        return compare##bits(address, expected, value, order, failure, HERE);                                \
    }                                                                                                        \
    EVENT type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type value, \
                                                          int order, int failure)                            \
    {                                                                                                        \
        compare##bits(address, &expected, value, order, failure, HERE);                                      \
        return expected;                                                                                     \
    }

#define ATOMIC(bits, type)                                                                     \
    EVENT type __tsan_atomic##bits##_load(const volatile type *address, int order)             \
    {                                                                                          \
        order = order_at(order, HERE);                                                         \
        struct order_clock *released =                                                         \
            begin_atomic((volatile type *)address, sizeof(type), ORDER_READ, HERE);            \
        type result = __atomic_load_n(address, __ATOMIC_SEQ_CST);                              \
        after_load(order_thread(), released, order);                                           \
        end_atomic(address, released);                                                         \
        return result;                                                                         \
    }                                                                                          \
    EVENT void __tsan_atomic##bits##_store(volatile type *address, type value, int order)      \
    {                                                                                          \
        order = order_at(order, HERE);                                                         \
        struct order_clock *released = begin_atomic(address, sizeof(type), ORDER_WRITE, HERE); \
        before_store(order_thread(), released, order, false);                                  \
        __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                    \
        end_atomic(address, released);                                                         \
    }                                                                                          \
    COMPARE(bits, type)                                                                        \
    MODIFY(bits, type, exchange, __atomic_exchange_n)                                          \
    MODIFY(bits, type, fetch_add, __atomic_fetch_add)                                          \
    MODIFY(bits, type, fetch_sub, __atomic_fetch_sub)                                          \
    MODIFY(bits, type, fetch_and, __atomic_fetch_and)                                          \
    MODIFY(bits, type, fetch_or, __atomic_fetch_or)                                            \
    MODIFY(bits, type, fetch_xor, __atomic_fetch_xor)
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

EVENT void __tsan_atomic_thread_fence(int order)
{
    struct order_thread *self = order_thread();
    order = order_at(order, HERE);
    if (acquires(order))
        order_join(&self->now, &self->to_acquire);
    if (releases(order)) {
        order_copy(&self->released, &self->now);
        order_tick(self);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

EVENT void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
