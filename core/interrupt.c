/* SPDX-License-Identifier: MIT */
/*
 * A signal ends a wait, or is seen by who runs: the sender's side of what park.h says of interrupts.
 *
 * Contexts: in core, or visiting.
 */
#include <errno.h>

#include "carrier.h"
#include "futex.h"
#include "park.h"
#include "raw.h"
#include "signal.h"

enum { SETTLED_CYCLES = 30000 };

/* Ends the wait of a parked target, here or by its home. Returns false when somebody else has. */
static bool interrupt_wait(struct processor *here, struct coroutine *target)
{
    struct processor *home = __atomic_load_n(&target->home, __ATOMIC_ACQUIRE);
    if (home && home != here) {
        weft_processor_post_interrupt(home, target);
        return true;
    }
    /* With this home nobody else changes the wait. Without one it is, or was, in a futex queue: that it is
     * still there is the claim, whatever it has done since. */
    if (!(home ? target->abandon(target) : weft_futex_abandon(target)))
        return false;
    weft_ready(here, target, -EINTR);
    return true;
}

/*
 * Returns when every dispatch that came before the call is visible here. It is when its processor has been
 * seen outside of core, since leaving is stored behind it; and where one stays in core, nobody is in the
 * program: a store is under way for less than SETTLED_CYCLES.
 */
static void see_dispatches(const struct processor *here)
{
    for (unsigned i = 0; i < weft_processor_count; i++) {
        struct processor *processor = &weft_processors[i];
        uint64_t begin = __builtin_ia32_rdtsc();
        while (processor != here && atomic_load(&processor->owner) & WEFT_IN &&
               atomic_load(&processor->asleep) == WEFT_AWAKE &&
               __builtin_ia32_rdtsc() - begin < SETTLED_CYCLES)
            __builtin_ia32_pause();
    }
}

void weft_interrupt(struct processor *here, struct coroutine *target)
{
    if (!__atomic_load_n(&target->signal_due, __ATOMIC_SEQ_CST))
        return; /* seen to, or another coroutine by now */
    enum weft_state state = __atomic_load_n(&target->state, __ATOMIC_SEQ_CST);
    if (state == WEFT_PARKED && interrupt_wait(here, target))
        return;
    if (state == WEFT_PARKED || state == WEFT_READY) {
        /* When it is ready it will look. But it may have been dispatched, and have looked for the last time
         * before it was due, with that not yet visible here. */
        see_dispatches(here);
        state = __atomic_load_n(&target->state, __ATOMIC_SEQ_CST);
    }
    if (state == WEFT_RUNNING && target != weft_current)
        weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), __atomic_load_n(&target->carrier, __ATOMIC_RELAXED)->tid,
                  WEFT_SIGNAL_KICK);
}

void weft_interrupts_serve(struct processor *here)
{
    struct coroutine *target = atomic_exchange(&here->interrupts, NULL);
    while (target) {
        struct coroutine *next = target->interrupt_next;
        atomic_store(&target->interrupt_posted, false);
        weft_interrupt(here, target);
        target = next;
    }
}
