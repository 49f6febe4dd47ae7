/* SPDX-License-Identifier: MIT */
#include "receiver.h"

static void receive(void *argument)
{
    struct receiver *receiver = argument;
    struct coroutine *self = weft_current;
    siginfo_t info;
    receiver->ready = 1;
    int64_t deadline = receiver->wait ? weft_now() + receiver->wait : WEFT_NEVER;
    receiver->result = weft_futex_wait(self, &receiver->word, 0, WEFT_FUTEX_ANY, deadline, WEFT_REASON_FUTEX);
    self->signal_due = 0;
    while (receiver->count < RECEIVER_TAKES && weft_signal_next(self, ~self->signal_mask, &info))
        receiver->taken[receiver->count++] = info.si_signo;
    weft_signal_mask_end(self);
}

void receiver_start(struct receiver *receiver, uint64_t mask, int64_t wait)
{
    *receiver = (struct receiver){.mask = mask, .wait = wait};
    task_prepare(&receiver->task, receive, receiver);
    weft_signal_mask_begin(receiver->task.coroutine, mask);
    struct processor *here = weft_core_enter(weft_current);
    weft_ready(here, receiver->task.coroutine, 0);
    weft_core_leave(weft_current);
    require(task_yield_until(&receiver->ready, 1));
}

unsigned receiver_release(struct receiver *receiver)
{
    __atomic_store_n(&receiver->word, 1, __ATOMIC_SEQ_CST);
    weft_futex_wake(weft_current, &receiver->word, 1, WEFT_FUTEX_ANY);
    task_join(&receiver->task);
    return receiver->count;
}

long signal_send(int tid, int number, int value)
{
    siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};
    info.si_value.sival_int = value;
    struct processor *here = weft_core_enter(weft_current);
    long result = weft_signal_send(here, tid, &info);
    weft_core_leave(weft_current);
    return result;
}

void signals_distribute(void)
{
    struct processor *here = weft_core_enter(weft_current);
    weft_signals_distribute(here);
    weft_core_leave(weft_current);
}

int signal_take(uint64_t set, int *value)
{
    siginfo_t info;
    if (!weft_signal_next(weft_current, set, &info))
        return 0;
    if (value)
        *value = info.si_value.sival_int;
    return info.si_signo;
}

int receiver_setup(void **state)
{
    if (machine_setup(state) != 0)
        return -1;
    weft_signal_mask_set(weft_current, ALL_SIGNALS);
    return 0;
}

int receiver_teardown(void **state)
{
    weft_signal_mask_set(weft_current, ALL_SIGNALS);
    weft_current->signal_due = 0;
    while (signal_take(~UINT64_C(0), NULL))
        ;
    signals_distribute();
    assert_int_equal(weft_signals_queued(), 0);
    return machine_teardown(state);
}
