/* SPDX-License-Identifier: MIT */
/* FUTEX_WAKE_OP: one word is changed, and who waits for it is woken by what it was. */
#include <errno.h>
#include <linux/futex.h>

#include "futex_internal.h"
#include "priority.h"

static uint32_t operate(uint32_t *word, uint32_t operation)
{
    uint32_t argument = (operation >> 12) & 0xfff;
    unsigned kind = (operation >> 28) & 15;
    if (kind & FUTEX_OP_OPARG_SHIFT)
        argument = 1u << (argument & 31);
    else if (argument & 0x800)
        argument |= 0xfffff000; /* a signed field of 12 bits */
    switch (kind & 7) {
    case FUTEX_OP_SET:
        return __atomic_exchange_n(word, argument, __ATOMIC_SEQ_CST);
    case FUTEX_OP_ADD:
        return __atomic_fetch_add(word, argument, __ATOMIC_SEQ_CST);
    case FUTEX_OP_OR:
        return __atomic_fetch_or(word, argument, __ATOMIC_SEQ_CST);
    case FUTEX_OP_ANDN:
        return __atomic_fetch_and(word, ~argument, __ATOMIC_SEQ_CST);
    default:
        return __atomic_fetch_xor(word, argument, __ATOMIC_SEQ_CST);
    }
}

static bool holds(int32_t old, uint32_t operation)
{
    int32_t argument = (int32_t)(operation << 20) >> 20;
    switch ((operation >> 24) & 15) {
    case FUTEX_OP_CMP_EQ:
        return old == argument;
    case FUTEX_OP_CMP_NE:
        return old != argument;
    case FUTEX_OP_CMP_LT:
        return old < argument;
    case FUTEX_OP_CMP_LE:
        return old <= argument;
    case FUTEX_OP_CMP_GT:
        return old > argument;
    default:
        return old >= argument;
    }
}

long weft_futex_wake_op(struct coroutine *self, uint32_t *first, int wake_first, int wake_second,
                        uint32_t *second, uint32_t operation)
{
    if (((operation >> 28) & 7) > FUTEX_OP_XOR || ((operation >> 24) & 15) > FUTEX_OP_CMP_GE)
        return -ENOSYS;
    struct bucket *a = bucket_of(first), *b = bucket_of(second);
    struct processor *processor = weft_core_enter(self);
    long woken = 0, woken_second = 0;
    bucket_lock_two(a, b);
    uint32_t old = operate(second, operation);
    struct weft_futex_waiter *chain = weft_futex_collect(a, first, wake_first, WEFT_FUTEX_ANY, &woken),
                             *chain_second = NULL;
    if (holds((int32_t)old, operation))
        chain_second = weft_futex_collect(b, second, wake_second, WEFT_FUTEX_ANY, &woken_second);
    bucket_unlock_two(a, b);
    weft_futex_ready_chain(processor, chain);
    weft_futex_ready_chain(processor, chain_second);
    weft_priority_give_way(self, processor);
    weft_core_leave(self);
    return woken + woken_second;
}
