/* SPDX-License-Identifier: MIT */
/*
 * A seeded stress of the queues of signals on several processors: threads that wait, compute, change their
 * masks and wait for signals, and send real-time signals to each other and to the process. None is lost, none
 * comes twice, and what one sends to one other arrives in order.
 *
 * WEFT_TEST_SEED, WEFT_TEST_SECONDS (2 by default), WEFT_TEST_PROCESSORS (3 by default) as in stress.c.
 */
#include "receiver.h"

#include <errno.h>

enum { THREADS = 12, DIRECT = 40, SHARED = 42 };

static struct task tasks[THREADS];
static uint64_t random_states[THREADS];
static int tids[THREADS];
static uint32_t stop, idle[THREADS];
static atomic_int sent[THREADS][THREADS], shared_sent, received, shared_received, interrupted, sigwaited,
    gone;
static int last[THREADS][THREADS]; /* [receiver][sender], the receiver's own */

static void take_all(int me)
{
    siginfo_t info;
    while (weft_signal_next(weft_current, ~weft_current->signal_mask, &info)) {
        if (info.si_signo == SHARED) {
            atomic_fetch_add(&shared_received, 1);
            continue;
        }
        int sender = info.si_pid, number = info.si_value.sival_int;
        require(info.si_signo == DIRECT && number == last[me][sender] + 1);
        last[me][sender] = number;
        atomic_fetch_add(&received, 1);
    }
}

static void send_one(int me, uint64_t *random)
{
    int to = (int)(unit_random(random) % THREADS);
    bool shared = unit_random(random) % 4 == 0;
    siginfo_t info = {.si_signo = shared ? SHARED : DIRECT, .si_code = SI_QUEUE};
    info.si_pid = me;
    info.si_value.sival_int = shared ? 0 : atomic_load(&sent[to][me]) + 1;
    struct processor *here = weft_core_enter(weft_current);
    long result = weft_signal_send(here, shared ? 0 : tids[to], &info);
    weft_core_leave(weft_current);
    require(result == 0);
    atomic_fetch_add(shared ? &shared_sent : &sent[to][me], 1);
}

/* As hooks/signal_wait.c does it, but for the signalfd. */
static void wait_for_a_signal(int me)
{
    struct coroutine *self = weft_current;
    uint64_t all, before = self->signal_mask;
    weft_signal_mask_set(self, before | weft_signal_bit(SHARED));
    if (weft_signal_wait_begin(self, weft_signal_bit(SHARED), &all)) {
        weft_futex_wait(self, &idle[me], 0, WEFT_FUTEX_ANY, weft_now() + 200000, WEFT_REASON_SIGNAL);
        weft_signal_wait_end(self);
    }
    siginfo_t info;
    if (weft_signal_next(self, weft_signal_bit(SHARED), &info)) {
        atomic_fetch_add(&shared_received, 1);
        atomic_fetch_add(&sigwaited, 1);
    }
    weft_signal_mask_set(self, before);
}

static void see_to_signals(int me)
{
    struct coroutine *self = weft_current;
    while (__atomic_exchange_n(&self->signal_due, 0, __ATOMIC_SEQ_CST))
        take_all(me);
}

static void live(void *argument)
{
    uint64_t *random = argument;
    int me = (int)(random - random_states);
    struct coroutine *self = weft_current;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        switch (unit_random(random) % 8) {
        case 0:
        case 1:
        case 2:
            send_one(me, random);
            break;
        case 3:
        case 4: {
            int64_t deadline = unit_random(random) % 2 ? weft_now() + 300000 : weft_now() + 5000000;
            if (weft_futex_wait(self, &idle[me], 0, WEFT_FUTEX_ANY, deadline, WEFT_REASON_FUTEX) == -EINTR)
                atomic_fetch_add(&interrupted, 1);
            break;
        }
        case 5:
            weft_signal_mask_set(self, unit_random(random) % 2 ? 0 : weft_signal_bit(SHARED));
            break;
        case 6:
            wait_for_a_signal(me);
            break;
        default:
            weft_yield(self);
        }
        see_to_signals(me);
    }
    /* The others may still send; nothing may be lost when the last has stopped. */
    atomic_fetch_add(&gone, 1);
    while (atomic_load(&gone) < THREADS)
        weft_yield(self);
    weft_signal_mask_set(self, 0);
    take_all(me);
    weft_signal_mask_end(self);
}

static void test_no_signal_is_lost_and_none_comes_twice(void **state)
{
    const char *seconds = getenv("WEFT_TEST_SECONDS");
    uint64_t seed = unit_seed();
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        random_states[i] = seed + (uint64_t)i * 1000003;
        task_prepare(&tasks[i], live, &random_states[i]);
        tids[i] = tasks[i].coroutine->tid;
        weft_signal_mask_begin(tasks[i].coroutine, 0);
        tasks[i].coroutine->state = WEFT_READY;
    }
    for (int i = 0; i < THREADS; i++)
        weft_processor_post(&weft_processors[(unsigned)i % weft_processor_count], tasks[i].coroutine);
    task_sleep((int64_t)((seconds ? strtod(seconds, NULL) : 2) * 1e9));
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < THREADS; i++)
        task_join(&tasks[i]);
    while (signal_take(weft_signal_bit(SHARED), NULL))
        shared_received++;
    int all = 0;
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < THREADS; j++) {
            assert_int_equal(last[i][j], sent[i][j]);
            all += sent[i][j];
        }
    printf("%d for threads, %d for the process (%d by those who waited for it), %d waits interrupted\n", all,
           shared_sent, sigwaited, interrupted);
    assert_int_equal(received, all);
    assert_int_equal(shared_received, shared_sent);
    assert_true(all && shared_sent && sigwaited && interrupted);
}

static int setup(void **state)
{
    const char *number = getenv("WEFT_TEST_PROCESSORS");
    (void)state;
    if (machine_setup_many(number ? (unsigned)strtoul(number, NULL, 10) : 3) != 0)
        return -1;
    weft_monitor_start();
    weft_signal_mask_set(weft_current, ALL_SIGNALS);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        receiver_test(test_no_signal_is_lost_and_none_comes_twice),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
