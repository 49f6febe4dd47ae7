/* SPDX-License-Identifier: MIT */
/*
 * Carriers.
 *
 * A carrier has a stack and a thread block of its own, mapped together:
 *
 *     ┌──────────────┬───────────────────────────────┬──────────────┬───────────────┐
 *     │ guard page   │ stack ◄── grows down          │ __thread     │ thread header │
 *     └──────────────┴───────────────────────────────┴──────────────┴───────────────┘
 *                                                                    ▲ fs_base
 * The thread block is not glibc's: it has just what compiled code expects at fixed places (its own address,
 * the stack protector's canary) and zeroed room for __thread variables, of which ours and those of
 * libev_system.c are used. So weft_current is NULL on a carrier, and nothing of libc that needs more may be
 * called there.
 *
 * Locks: spare_lock protects the list of spare carriers; global_lock the global queue. Neither is held
 * with the other.
 */
#include "carrier.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "loop.h"
#include "monitor.h"
#include "park.h"
#include "raw.h"
#include "signal.h"
#include "slab.h"
#include "trace.h"

enum { GUARD = 4096, STACK = 64 * 1024, HEADER = 4096 };

long weft_carrier_clone(unsigned long flags, void *stack, int *tid, void *fs_base, void (*entry)(void *),
                        void *argument); /* clone.S */

static struct weft_slab carriers = WEFT_SLAB_OF(struct carrier);
static atomic_uint carriers_alive = 1;
static struct weft_lock spare_lock;
static struct carrier *spares;
static struct weft_lock global_lock;
static struct queue global;
static atomic_size_t global_length;

struct carrier *weft_carrier_create(void)
{
    uintptr_t here = weft_fs_base();
    /* All our __thread variables lie in one block, of far less than a page, around weft_current. */
    size_t thread_room = (here - (uintptr_t)&weft_current + 2 * HEADER) & ~(size_t)(HEADER - 1);
    size_t size = GUARD + STACK + thread_room + HEADER;
    char *pages = weft_pages_map(size);
    struct carrier *carrier = weft_slab_take(&carriers);
    if (!pages || !carrier)
        return NULL;
    *carrier = (struct carrier){.kernel_mask = ~UINT64_C(0)};
    weft_raw3(SYS_mprotect, (long)pages, GUARD, PROT_NONE);
    char *fs_base = pages + size - HEADER;
    memcpy(fs_base, (void *)here, 64); /* canary and pointer guard stand in the first words */
    *(char **)fs_base = fs_base;
    *((char **)fs_base + 2) = fs_base;
    weft_context_prepare(&carrier->context, fs_base - thread_room, (uintptr_t)fs_base, weft_carrier_run,
                         carrier);
    return carrier;
}

void weft_global_append(struct coroutine *coroutine)
{
    weft_lock_acquire(&global_lock);
    coroutine->next = NULL;
    if (global.tail)
        global.tail->next = coroutine;
    else
        global.head = coroutine;
    global.tail = coroutine;
    atomic_store(&global_length, ++global.length);
    weft_lock_release(&global_lock);
    for (unsigned i = 0; i < weft_processor_count; i++)
        if (atomic_exchange(&weft_processors[i].asleep, 0)) {
            weft_loop_wake(weft_processors[i].loop);
            break;
        }
}

struct coroutine *weft_global_take(void)
{
    if (atomic_load(&global_length) == 0)
        return NULL;
    weft_lock_acquire(&global_lock);
    struct coroutine *coroutine = global.head;
    if (coroutine) {
        global.head = coroutine->next;
        if (!global.head)
            global.tail = NULL;
        atomic_store(&global_length, --global.length);
    }
    weft_lock_release(&global_lock);
    return coroutine;
}

bool weft_global_empty(void)
{
    return atomic_load(&global_length) == 0;
}

void weft_carriers_forget(void)
{
    spares = NULL;
    spare_lock = global_lock = (struct weft_lock){0};
    global = (struct queue){0};
    atomic_store(&global_length, 0);
    atomic_store(&carriers_alive, 1);
}

unsigned weft_carrier_count(void)
{
    return atomic_load(&carriers_alive);
}

int weft_carrier_clone_thread(struct carrier *carrier, void (*entry)(void *))
{
    unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                          CLONE_SETTLS | CLONE_PARENT_SETTID;
    long result = weft_carrier_clone(flags, carrier->context.rsp, &carrier->tid,
                                     (void *)carrier->context.fs_base, entry, carrier);
    return result < 0 ? (int)result : 0;
}

int weft_carrier_start(struct carrier *carrier, struct processor *processor)
{
    carrier->processor = processor;
    atomic_store(&processor->owner, (uintptr_t)carrier | WEFT_IN);
    atomic_fetch_add(&carriers_alive, 1);
    int result = weft_carrier_clone_thread(carrier, weft_carrier_run);
    if (result < 0)
        atomic_fetch_sub(&carriers_alive, 1);
    return result;
}

int weft_carrier_adopt(struct processor *processor)
{
    weft_lock_acquire(&spare_lock);
    struct carrier *carrier = spares;
    if (carrier)
        spares = carrier->next_spare;
    weft_lock_release(&spare_lock);
    if (carrier) {
        carrier->processor = processor;
        atomic_store(&processor->owner, (uintptr_t)carrier | WEFT_IN);
        atomic_store(&carrier->wake, 1);
        weft_raw3(SYS_futex, (long)&carrier->wake, FUTEX_WAKE_PRIVATE, 1);
        return 0;
    }
    carrier = weft_carrier_create();
    return carrier ? weft_carrier_start(carrier, processor) : -ENOMEM;
}

/* Waits until weft_carrier_adopt gives it a processor. */
static void wait_as_spare(struct carrier *carrier)
{
    weft_lock_acquire(&spare_lock);
    carrier->next_spare = spares;
    spares = carrier;
    weft_lock_release(&spare_lock);
    while (atomic_exchange(&carrier->wake, 0) == 0)
        weft_raw4(SYS_futex, (long)&carrier->wake, FUTEX_WAIT_PRIVATE, 0, 0);
}

static void fire_deadlines(struct processor *processor, int64_t now)
{
    struct weft_timer *timer;
    while ((timer = weft_timers_take_due(&processor->timers, now))) {
        struct coroutine *coroutine = weft_container(timer, struct coroutine, timer);
        if (coroutine->abandon(coroutine))
            weft_ready(processor, coroutine, -ETIMEDOUT);
    }
}

static void dispatch(struct carrier *carrier, struct coroutine *next)
{
    next->carrier = carrier;
    next->state = WEFT_RUNNING;
    next->switches++;
    carrier->running = next;
    weft_switch(&carrier->context, &next->context, NULL, NULL);
}

/* Nothing is ready: sleeps in the loop until something is. */
static void sleep_in_loop(struct processor *processor)
{
    int64_t next = weft_timers_next(&processor->timers), timeout = WEFT_NEVER;
    if (next != WEFT_NEVER) {
        int64_t now = weft_now();
        timeout = next > now ? next - now : 0;
    }
    atomic_store(&processor->asleep, 1);
    if (atomic_load(&processor->inbox) || atomic_load(&weft_signals_arrived) || !weft_global_empty())
        timeout = 0; /* posted before it could see that we sleep */
    weft_loop_poll(processor->loop, timeout);
    atomic_store(&processor->asleep, 0);
    weft_monitor_wake();
}

void weft_carrier_run(void *argument)
{
    struct carrier *carrier = argument;
    for (;;) {
        struct processor *processor = carrier->processor;
        if (!processor) {
            wait_as_spare(carrier);
            continue;
        }
        /* Here the loop is polled once in a while even when coroutines are ready all the time. */
        if (weft_processor_busy(processor)) {
            if (weft_processor_poll_due(processor)) {
                weft_loop_poll(processor->loop, 0);
                processor->polled_at = __builtin_ia32_rdtsc();
            }
        } else {
            struct coroutine *stray = weft_global_take();
            if (stray) {
                weft_processor_append(processor, stray);
            } else {
                sleep_in_loop(processor);
                processor->polled_at = __builtin_ia32_rdtsc();
            }
        }
        if (atomic_load(&weft_signals_arrived))
            weft_signals_distribute(processor);
        if (carrier->kernel_mask != weft_signal_kernel_mask()) {
            carrier->kernel_mask = weft_signal_kernel_mask();
            weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&carrier->kernel_mask, 0,
                      sizeof carrier->kernel_mask);
        }
        if (processor->timers.count)
            fire_deadlines(processor, weft_now());
        struct coroutine *next = weft_processor_pick(processor);
        if (next)
            dispatch(carrier, next);
    }
}
