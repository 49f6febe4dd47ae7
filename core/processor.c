/* SPDX-License-Identifier: MIT */
/*
 * Run queues and the start of the machine.
 *
 * Fairness: `run_next` keeps two threads that hand work to each other hot, but only RUN_NEXT_STREAK
 * times in a row while others wait; and at least every POLL_TICKS dispatches the loop is considered:
 * polled when POLL_CYCLES have passed, so that a busy processor still sees readiness and deadlines.
 */
#include "processor.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "carrier.h"
#include "check.h"
#include "futex.h"
#include "loop.h"
#include "monitor.h"
#include "park.h"
#include "raw.h"
#include "signal.h"
#include "slab.h"

enum { RUN_NEXT_STREAK = 128, POLL_TICKS = 64 };

struct processor *weft_processors;
unsigned weft_processor_count;

void weft_processor_append(struct processor *processor, struct coroutine *coroutine)
{
    struct queue *queue = &processor->queue;
    coroutine->next = NULL;
    if (queue->tail)
        queue->tail->next = coroutine;
    else
        queue->head = coroutine;
    queue->tail = coroutine;
    queue->length++;
}

static struct coroutine *queue_take(struct queue *queue)
{
    struct coroutine *coroutine = queue->head;
    if (coroutine) {
        queue->head = coroutine->next;
        if (!queue->head)
            queue->tail = NULL;
        queue->length--;
    }
    return coroutine;
}

/* Moves the inbox to the queue, oldest first. */
static void open_inbox(struct processor *processor)
{
    struct coroutine *newest = atomic_exchange_explicit(&processor->inbox, NULL, memory_order_acquire);
    struct coroutine *oldest = NULL;
    while (newest) {
        struct coroutine *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct coroutine *next = oldest->next;
        weft_processor_append(processor, oldest);
        oldest = next;
    }
}

struct coroutine *weft_processor_pick(struct processor *processor)
{
    if (atomic_load_explicit(&processor->inbox, memory_order_relaxed))
        open_inbox(processor);
    if (__builtin_expect(atomic_load_explicit(&weft_signals_arrived, memory_order_relaxed), 0))
        return NULL; /* the carrier distributes them first */
    if (++processor->ticks % POLL_TICKS == 0 && weft_processor_poll_due(processor))
        return NULL;
    struct coroutine *next = processor->run_next;
    if (next && (processor->run_next_streak < RUN_NEXT_STREAK || !processor->queue.head)) {
        processor->run_next = NULL;
        processor->run_next_streak++;
        return next;
    }
    processor->run_next_streak = 0;
    return queue_take(&processor->queue);
}

void weft_processor_post(struct processor *processor, struct coroutine *coroutine)
{
    struct coroutine *newest = atomic_load_explicit(&processor->inbox, memory_order_relaxed);
    do
        coroutine->next = newest;
    while (!atomic_compare_exchange_weak(&processor->inbox, &newest, coroutine));
    if (atomic_exchange(&processor->asleep, 0))
        weft_loop_wake(processor->loop);
}

void weft_processor_verify(const struct processor *processor)
{
    size_t length = 0;
    const struct coroutine *last = NULL;
    for (const struct coroutine *c = processor->queue.head; c; last = c, c = c->next, length++)
        weft_check(c->state == WEFT_READY);
    weft_check(length == processor->queue.length && last == processor->queue.tail);
    weft_check(!processor->run_next || processor->run_next->state == WEFT_READY);
    weft_check(weft_timers_verify(&processor->timers));
}

static int processors_create(unsigned count)
{
    weft_processors = weft_pages_map(count * sizeof *weft_processors);
    if (!weft_processors)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        weft_processors[i].index = i;
        weft_processors[i].loop = weft_loop_create(&weft_processors[i]);
        if (!weft_processors[i].loop) {
            while (i-- > 0)
                weft_loop_destroy(weft_processors[i].loop);
            weft_pages_unmap(weft_processors, count * sizeof *weft_processors);
            return -EMFILE;
        }
    }
    weft_processor_count = count;
    return 0;
}

int weft_machine_start(unsigned count)
{
    weft_context_initialize();
    struct coroutine *self = weft_coroutine_take((int)weft_raw0(SYS_getpid));
    struct carrier *carrier = weft_carrier_create();
    if (!self || !carrier)
        return -ENOMEM;
    int result = processors_create(count);
    if (result < 0)
        return result;
    carrier->tid = self->tid;
    carrier->processor = &weft_processors[0];
    carrier->running = self;
    self->context.fs_base = weft_fs_base();
    size_t size;
    weft_raw3(SYS_get_robust_list, 0, (long)&self->robust_list, (long)&size);
    weft_raw2(SYS_prctl, PR_GET_TID_ADDRESS, (long)&self->clear_child_tid);
    self->carrier = carrier;
    self->state = WEFT_RUNNING;
    atomic_store(&weft_processors[0].owner, (uintptr_t)carrier);
    uint64_t mask;
    weft_raw4(SYS_rt_sigprocmask, 0, 0, (long)&mask, sizeof mask);
    weft_signal_mask_begin(self, mask);
    carrier->kernel_mask = mask;
    stack_t stack;
    weft_raw2(SYS_sigaltstack, 0, (long)&stack);
    if (!(stack.ss_flags & SS_DISABLE))
        self->alternate = (struct weft_alternate){(uintptr_t)stack.ss_sp, stack.ss_size,
                                                  (uint32_t)stack.ss_flags & WEFT_AUTODISARM};
    weft_carrier_begin_signals(carrier);
    weft_current = self;
    return 0;
}

static void forget(struct coroutine *coroutine, void *self)
{
    if (coroutine != self) {
        weft_futex_forget(coroutine);
        coroutine->state = WEFT_DEAD;
        weft_coroutine_give(coroutine);
    }
}

int weft_machine_restart(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    weft_coroutine_each(forget, self);
    weft_carriers_forget(carrier);
    weft_monitor_forget();
    weft_signals_restart(self);
    self->tid = (int)weft_raw0(SYS_getpid);
    carrier->tid = self->tid;
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_loop_destroy(weft_processors[i].loop);
    weft_pages_unmap(weft_processors, weft_processor_count * sizeof *weft_processors);
    int result = processors_create(weft_processor_count);
    carrier->processor = &weft_processors[0];
    atomic_store(&weft_processors[0].owner, (uintptr_t)carrier);
    return result;
}
