/* SPDX-License-Identifier: MIT */
/*
 * See machine.h.
 *
 * A fork copies the memory while other kernel threads run. Rules that make the copy usable:
 *  1. Nobody is in core, for all processors are visited. So the locks that are only taken there (futex
 * buckets, the global queue) are free, and no coroutine is between two queues.
 *  2. The other locks may be held at that moment. What they protect is changed by single stores of words (a
 * list's head, an index), so it is consistent for whoever comes next: the child just makes them free.
 *  3. Loops, processors and carriers are made anew in the child; what the parent's looked like does not
 * matter.
 */
#include "machine.h"

#include <errno.h>
#include <sys/prctl.h>

#include "balance.h"
#include "bound.h"
#include "carrier.h"
#include "cpu_time.h"
#include "credentials.h"
#include "errand.h"
#include "event_loop.h"
#include "futex.h"
#include "libev_system.h"
#include "hog.h"
#include "loop.h"
#include "monitor.h"
#include "parallelism.h"
#include "place.h"
#include "processor.h"
#include "raw.h"
#include "signal.h"
#include "slab.h"
#include "spare.h"
#include "visit.h"

struct processor *weft_processors;
unsigned weft_processor_count;

static int processors_create(unsigned count)
{
    struct processor *processors = weft_pages_map(count * sizeof *processors);
    if (!processors)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        processors[i].index = i;
        processors[i].cpu = WEFT_ANYWHERE;
        processors[i].streak_most = WEFT_STREAK;
        atomic_store(&processors[i].asleep, WEFT_VACANT);
        processors[i].loop = weft_loop_create(&processors[i]);
        if (!processors[i].loop) {
            while (i-- > 0)
                weft_loop_destroy(processors[i].loop);
            weft_pages_unmap(processors, count * sizeof *processors);
            return -EMFILE;
        }
    }
    weft_processors = processors;
    weft_processor_count = count;
    return 0;
}

static void processors_destroy(void)
{
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_loop_destroy(weft_processors[i].loop);
    weft_pages_unmap(weft_processors, weft_processor_count * sizeof *weft_processors);
}

/* The calling kernel thread holds the first processor, outside of core. */
static void hold_first(struct carrier *carrier)
{
    carrier->processor = &weft_processors[0];
    atomic_store(&weft_processors[0].owner, (uintptr_t)carrier);
    atomic_store(&weft_processors[0].asleep, WEFT_AWAKE);
    atomic_store(&weft_idle_processors, weft_processor_count - 1);
    weft_place_forget();
    weft_parallelism_reset();
}

int weft_machine_start(unsigned count)
{
    weft_context_initialize();
    struct carrier *carrier = weft_carrier_create();
    if (!carrier)
        return -ENOMEM;
    int result = processors_create(count);
    if (result < 0)
        goto no_processors;
    struct coroutine *self = weft_coroutine_take(NULL, (int)weft_raw0(SYS_getpid));
    if (!self) {
        result = -ENOMEM;
        goto no_coroutine;
    }
    carrier->tid = self->tid;
    carrier->running = self;
    hold_first(carrier);
    self->context.fs_base = weft_fs_base();
    size_t size;
    weft_raw3(SYS_get_robust_list, 0, (long)&self->robust_list, (long)&size);
    weft_raw2(SYS_prctl, PR_GET_TID_ADDRESS, (long)&self->clear_child_tid);
    self->carrier = carrier;
    self->state = WEFT_RUNNING;
    uint64_t mask;
    weft_raw4(SYS_rt_sigprocmask, 0, 0, (long)&mask, sizeof mask);
    weft_signal_mask_begin(self, mask);
    carrier->kernel_mask = mask;
    carrier->receives = true;
    stack_t stack;
    weft_raw2(SYS_sigaltstack, 0, (long)&stack);
    if (!(stack.ss_flags & SS_DISABLE))
        self->alternate = (struct weft_alternate){(uintptr_t)stack.ss_sp, stack.ss_size,
                                                  (uint32_t)stack.ss_flags & WEFT_AUTODISARM};
    weft_carrier_begin_signals(carrier);
    weft_current = self;
    return 0;

no_coroutine:
    processors_destroy();
no_processors:
    weft_carrier_give(carrier);
    return result;
}

void weft_machine_stop(void)
{
    weft_signals_stop(); /* a spare does that outside of core; first, or it would wait for what is visited */
    for (unsigned i = 0; i < weft_processor_count; i++)
        weft_visit_begin(&weft_processors[i]);
}

void weft_machine_release(void)
{
    for (unsigned i = weft_processor_count; i-- > 0;)
        weft_visit_end(&weft_processors[i]);
    weft_signals_release();
}

static void forget(struct coroutine *coroutine, void *self)
{
    if (coroutine != self) {
        weft_futex_forget(coroutine);
        coroutine->state = WEFT_DEAD;
        coroutine->signals_open = false;
        coroutine->signal_lock = (struct weft_lock){0};
        weft_coroutine_give(NULL, coroutine);
    }
}

int weft_machine_restart(struct coroutine *self)
{
    struct carrier *carrier = self->carrier;
    weft_slabs_restart();
    weft_own_descriptors_restart();
    weft_coroutines_restart(self, (int)weft_raw0(SYS_getpid));
    weft_credentials_restart(carrier);
    weft_coroutine_each(forget, self);
    weft_carriers_forget(carrier);
    carrier->receives = true;
    weft_monitor_forget();
    weft_hogs_forget(self);
    weft_bound_forget(self);
    weft_event_loop_forget(self);
    weft_errands_forget();
    weft_signals_restart(self);
    carrier->tid = self->tid;
    processors_destroy();
    int result = processors_create(weft_processor_count);
    if (result < 0)
        return result;
    hold_first(carrier);
    weft_cpu_time_restart(self);
    return 0;
}
