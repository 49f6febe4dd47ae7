/* SPDX-License-Identifier: MIT */
/* Hand-overs whose waker goes on: how they are recognised, and who takes them. */
#include "machine.h"

#include "../../core/balance.h"
#include "../../core/hint.h"
#include "../../core/watch.h"

enum { TIMES = 20, LONG = 50000, DEAR = 100000, CHEAP = 500 /* cycles */ };

static uint32_t watcher_waits, watcher_may, found, ran, ran_on;

static void pass(uint64_t cycles)
{
    uint64_t end = __builtin_ia32_rdtsc() + cycles;
    while (__builtin_ia32_rdtsc() < end)
        __builtin_ia32_pause();
}

static void hand_over(struct processor *processor, uint64_t wait)
{
    weft_watch_next_set(processor);
    pass(wait);
    weft_watch_next_taken(processor);
}

static void test_only_dear_dispatches_are_timed(void **state)
{
    struct processor processor = {.dispatch_cycles = CHEAP, .special = WEFT_CLOCKED};
    (void)state;
    weft_watch_consider(&processor, __builtin_ia32_rdtsc());
    assert_int_equal(processor.special, WEFT_CLOCKED);
    processor.dispatch_cycles = DEAR;
    weft_watch_consider(&processor, __builtin_ia32_rdtsc());
    assert_int_equal(processor.special, WEFT_CLOCKED | WEFT_TIMED);
    processor.dispatch_cycles = CHEAP;
    weft_watch_consider(&processor, __builtin_ia32_rdtsc());
    assert_int_equal(processor.special, WEFT_CLOCKED);
}

static void test_long_waits_in_a_row_overlap_and_short_ones_end_it(void **state)
{
    struct processor processor = {.dispatch_cycles = DEAR};
    (void)state;
    weft_watch_consider(&processor, __builtin_ia32_rdtsc());
    assert_false(processor.overlaps);
    for (int i = 0; i < TIMES; i++)
        hand_over(&processor, LONG);
    assert_true(processor.overlaps);
    processor.dispatch_cycles = CHEAP;
    weft_watch_consider(&processor, processor.next_set_at);
    assert_int_equal(processor.special, WEFT_TIMED); /* as long as it overlaps */
    for (int i = 0; i < TIMES * TIMES && processor.overlaps; i++)
        hand_over(&processor, 0);
    assert_false(processor.overlaps);
}

static void test_what_was_rescued_overlaps(void **state)
{
    struct processor processor = {.dispatch_cycles = CHEAP};
    (void)state;
    weft_watch_rescued(&processor);
    assert_true(processor.overlaps);
    assert_int_equal(processor.special, WEFT_TIMED);
}

static void test_without_hand_overs_it_is_forgotten(void **state)
{
    struct processor processor = {.dispatch_cycles = DEAR};
    uint64_t now = __builtin_ia32_rdtsc();
    (void)state;
    weft_watch_rescued(&processor);
    weft_watch_consider(&processor, now);
    assert_true(processor.overlaps);
    weft_watch_consider(&processor, now + UINT64_C(1000000000));
    assert_false(processor.overlaps);
}

static void note(void *argument)
{
    (void)argument;
    ran_on = weft_current->carrier->processor->index;
    __atomic_store_n(&ran, 1, __ATOMIC_SEQ_CST);
}

/* On the second processor, in core all the time, so that nothing but this takes what waits on the first. */
static void watch(void *argument)
{
    const uint32_t *times = argument;
    struct processor *here = weft_core_enter(weft_current);
    __atomic_store_n(&watcher_waits, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&watcher_may, __ATOMIC_SEQ_CST))
        __builtin_ia32_pause();
    for (uint32_t i = 0; i < *times && !found; i++) {
        weft_watch_called(here);
        if (weft_watch(here) && here->queue.head)
            found = 1;
    }
    weft_core_leave(weft_current);
}

static void start_watcher(struct task *watcher, uint32_t *times)
{
    watcher_waits = watcher_may = found = ran = 0;
    task_prepare(watcher, watch, times);
    watcher->coroutine->state = WEFT_READY;
    weft_processor_post(&weft_processors[1], watcher->coroutine);
    assert_true(task_becomes_set(&watcher_waits));
}

/* Lets `task` wait behind the caller, and the watcher look. */
static void ready_next(struct task *task, bool overlaps)
{
    task_prepare(task, note, NULL);
    task->coroutine->state = WEFT_PARKED;
    struct processor *here = weft_core_enter(weft_current);
    __atomic_store_n(&here->overlaps, overlaps, __ATOMIC_RELAXED);
    weft_ready_next(here, task->coroutine, 0);
    weft_core_leave(weft_current);
    __atomic_store_n(&watcher_may, 1, __ATOMIC_SEQ_CST);
}

static void test_who_watches_takes_what_waits(void **state)
{
    struct task watcher, task;
    uint32_t often = UINT32_MAX;
    (void)state;
    start_watcher(&watcher, &often);
    ready_next(&task, true);
    assert_true(task_becomes_set(&ran)); /* though nothing is dispatched here */
    assert_int_equal(ran_on, 1);
    assert_int_equal(found, 1);
    task_join(&task);
    task_join(&watcher);
}

static void test_nobody_watches_where_nothing_overlaps(void **state)
{
    struct task watcher, task;
    uint32_t once = 1;
    (void)state;
    start_watcher(&watcher, &once);
    ready_next(&task, false);
    task_join(&watcher);
    assert_int_equal(found, 0);
    task_join(&task);
}

/* When that lasts, it is the monitor's to see. */
static void test_what_is_to_stay_is_not_timed(void **state)
{
    struct task task[2];
    uint64_t since[2];
    (void)state;
    struct processor *here = weft_core_enter(weft_current);
    weft_hint_set(here->special, here->special | WEFT_TIMED);
    for (int i = 0; i < 2; i++) {
        task_prepare(&task[i], note, NULL);
        task[i].coroutine->state = WEFT_PARKED;
        here->next_since = 0;
        (i ? weft_ready_next : weft_ready_here)(here, task[i].coroutine, 0);
        since[i] = here->next_since;
        weft_hint_set(here->run_next, NULL);
        weft_processor_append(here, task[i].coroutine);
    }
    weft_hint_set(here->special, (uint8_t)(here->special & ~WEFT_TIMED));
    weft_core_leave(weft_current);
    assert_int_equal(since[0], 0);
    assert_int_not_equal(since[1], 0);
    for (int i = 0; i < 2; i++)
        task_join(&task[i]);
}

enum { A_WHILE = 1000000 /* ns */ };

static struct processor *rescued;

static void note_rescued(void *argument)
{
    struct processor *here = weft_current->carrier->processor;
    rescued = __atomic_load_n(&here->rescued, __ATOMIC_RELAXED);
    note(argument);
}

/* Somebody waits behind the caller for a while. Returns whether the idle processor took him by watching, and
 * not by its looks at who has stalled. */
static bool taken_by_watching(void)
{
    struct task task;
    ran = 0;
    task_prepare(&task, note_rescued, NULL);
    struct processor *here = weft_core_enter(weft_current);
    weft_hint_set(here->special, here->special | WEFT_TIMED);
    weft_hint_set(here->overlaps, true);
    here->watch_called_at = 0;
    weft_hint_set(weft_processors[1].rescued, NULL);
    weft_ready_next(here, task.coroutine, 0);
    weft_core_leave(weft_current);
    for (int64_t limit = weft_now() + A_WHILE;
         !__atomic_load_n(&ran, __ATOMIC_SEQ_CST) && weft_now() < limit;)
        __builtin_ia32_pause();
    task_join(&task); /* now he may run here, too */
    machine_go_to(0);
    return ran_on == 1 && !rescued;
}

/* The idle one may not be called just when it goes to sleep, or get its CPU too late, but hardly each time.
 */
static void test_an_idle_processor_watches_when_it_is_called(void **state)
{
    int64_t limit = weft_now() + INT64_C(10000000000);
    (void)state;
    while (!taken_by_watching())
        assert_true(weft_now() < limit);
}

static int setup(void **state)
{
    (void)state;
    return machine_setup_many(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_only_dear_dispatches_are_timed),
        machine_test(test_long_waits_in_a_row_overlap_and_short_ones_end_it),
        machine_test(test_what_was_rescued_overlaps),
        machine_test(test_without_hand_overs_it_is_forgotten),
        machine_test(test_who_watches_takes_what_waits),
        machine_test(test_nobody_watches_where_nothing_overlaps),
        machine_test(test_what_is_to_stay_is_not_timed),
        machine_test(test_an_idle_processor_watches_when_it_is_called),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
