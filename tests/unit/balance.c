/* SPDX-License-Identifier: MIT */
/* Stealing between two processors, without a monitor, which would mend much of what stealing leaves. */
#include "machine.h"

#include "../../core/balance.h"
#include "../../core/hint.h"
#include "../../core/parallelism.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READY = 8 };

static uint32_t thief_waits, thief_may, stole, left, ran[READY], processor_of[READY];
static int ends[2];
static long slept;

static void note_where(void *argument)
{
    uint32_t *mine = argument;
    processor_of[mine - ran] = weft_current->carrier->processor->index;
    __atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
}

/* By a thief, on the second processor. */
static struct processor *enter_when_told(void)
{
    __atomic_store_n(&thief_waits, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&thief_may, __ATOMIC_SEQ_CST))
        __builtin_ia32_pause();
    return weft_core_enter(weft_current);
}

/* A look at who has something, and a second one when that has not moved for long. */
static void steal(void *argument)
{
    (void)argument;
    struct processor *here = enter_when_told();
    weft_balance_steal(here);
    uint64_t end = __builtin_ia32_rdtsc() + 2 * WEFT_SHARE_CYCLES;
    while (__builtin_ia32_rdtsc() < end)
        __builtin_ia32_pause();
    __atomic_store_n(&stole, weft_balance_steal(here) || here->queue.head, __ATOMIC_SEQ_CST);
    weft_core_leave(weft_current);
}

static void start_thief(struct task *thief, void (*function)(void *))
{
    thief_waits = thief_may = stole = 0;
    task_prepare(thief, function, NULL);
    thief->coroutine->state = WEFT_READY;
    weft_processor_post(&weft_processors[1], thief->coroutine);
    assert_true(task_becomes_set(&thief_waits));
}

/* Not stalled: it has dispatched since it was last looked at. */
static void seen_going_on(struct processor *processor)
{
    atomic_store(&processor->seen_ticks, processor->ticks - 1);
}

static void steal_once(void *argument)
{
    struct processor *first = &weft_processors[0];
    (void)argument;
    struct processor *here = enter_when_told();
    weft_balance_steal(here);
    left = (uint32_t)first->queue.length;
    __atomic_store_n(&stole, (uint32_t)here->queue.length, __ATOMIC_SEQ_CST);
    weft_core_leave(weft_current);
}

static void read_and_note(void *argument)
{
    struct weft_target target = weft_target_of(ends[0]);
    require(weft_wait_target(&target, WEFT_READABLE, WEFT_REASON_READ, WEFT_NEVER) == 0);
    note_where(argument);
}

static void sleep_and_note(void *argument)
{
    struct weft_watcher none;
    slept = weft_wait_watchers(&none, 0, WEFT_REASON_SLEEP, weft_now() + 1);
    note_where(argument);
}

static void test_what_waits_behind_a_computation_is_stolen(void **state)
{
    struct task thief, tasks[READY];
    (void)state;
    start_thief(&thief, steal);
    for (int i = 0; i < READY; i++)
        task_start(&tasks[i], note_where, &ran[i]);
    __atomic_store_n(&thief_may, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < READY; i++)
        assert_true(task_becomes_set(&ran[i]));
    assert_int_equal(stole, 1);
    for (int i = 0; i < READY; i++) {
        assert_int_equal(processor_of[i], 1);
        task_join(&tasks[i]);
    }
    task_join(&thief);
}

static void test_half_of_a_backlog_is_stolen_oldest_first(void **state)
{
    struct processor *first = &weft_processors[0];
    struct task thief, tasks[READY];
    (void)state;
    memset(ran, 0, sizeof ran);
    start_thief(&thief, steal_once);
    for (int i = 0; i < READY; i++)
        task_start(&tasks[i], note_where, &ran[i]);
    struct processor *here = weft_core_enter(weft_current);
    assert_ptr_equal(here, first);
    weft_hint_set(here->dispatch_cycles, 0); /* however many, they are worth nothing but for this: */
    weft_hint_set(here->backlogged, true);
    seen_going_on(here);
    weft_core_leave(weft_current);
    __atomic_store_n(&thief_may, 1, __ATOMIC_SEQ_CST);
    assert_true(task_becomes_set(&stole));
    assert_int_equal(stole, READY / 2);
    assert_int_equal(left, READY / 2);
    for (int i = 0; i < READY / 2; i++) {
        assert_true(task_becomes_set(&ran[i]));
        assert_int_equal(processor_of[i], 1);
    }
    for (int i = 0; i < READY; i++)
        task_join(&tasks[i]);
    task_join(&thief);
}

static void end_naps(void *processor)
{
    ((struct processor *)processor)->naps = 0;
}

/* The second processor has looked around for the last time, and sleeps until it is called: looking again and
 * again, as it does after it has stolen, it would steal what this one is to have ready. */
static bool second_sleeps(void)
{
    int64_t limit = weft_now() + INT64_C(10000000000);
    weft_visit(&weft_processors[1], end_naps, &weft_processors[1]);
    while (atomic_load(&weft_processors[1].asleep) != WEFT_ASLEEP)
        if (weft_now() > limit)
            return false;
    return true;
}

static void test_what_becomes_ready_behind_a_computation_is_seen(void **state)
{
    struct task thief, reader, sleeper;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    ran[0] = ran[1] = 0;
    assert_true(second_sleeps());
    atomic_store(&weft_parallelism, 1); /* so no helper is called for what is ready before it waits */
    task_start(&reader, read_and_note, &ran[0]);
    task_start(&sleeper, sleep_and_note, &ran[1]);
    weft_yield(weft_current); /* both wait on this processor's loop, the clock is past the deadline */
    atomic_store(&weft_parallelism, 2);
    start_thief(&thief, steal);
    assert_int_equal(write(ends[1], "r", 1), 1);
    __atomic_store_n(&thief_may, 1, __ATOMIC_SEQ_CST);
    assert_true(task_becomes_set(&ran[0]));
    assert_true(task_becomes_set(&ran[1]));
    assert_int_equal(stole, 1);
    assert_int_equal(slept, -ETIMEDOUT);
    assert_int_equal(processor_of[0], 1);
    assert_int_equal(processor_of[1], 1);
    task_join(&reader);
    task_join(&sleeper);
    task_join(&thief);
    close(ends[0]);
    close(ends[1]);
}

static void test_who_has_waited_through_many_looks_is_shared(void **state)
{
    struct coroutine waits = {0};
    struct processor processor = {.owner = WEFT_IN};
    uint64_t begin = 1000, end = begin + WEFT_BACKLOG_CYCLES;
    (void)state;
    weft_queue_append(&processor.queue, &waits);
    weft_balance_note_backlog(&processor, begin, 10);
    weft_balance_note_backlog(&processor, end - 1, 10);
    assert_false(processor.backlogged);
    weft_balance_note_backlog(&processor, end, 10);
    assert_true(processor.backlogged);
    processor.yields += 9; /* who yields does not wait */
    weft_balance_note_backlog(&processor, end, 10);
    assert_false(processor.backlogged);
    weft_queue_take(&processor.queue);
    weft_balance_note_backlog(&processor, end + 1, 10);
    assert_false(processor.backlogged);
    weft_queue_append(&processor.queue, &waits);
    weft_balance_note_backlog(&processor, 2 * end, 10); /* from here on anew */
    assert_false(processor.backlogged);
}

static int setup(void **state)
{
    (void)state;
    return machine_setup_many(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_what_waits_behind_a_computation_is_stolen),
        machine_test(test_half_of_a_backlog_is_stolen_oldest_first),
        machine_test(test_who_has_waited_through_many_looks_is_shared),
        machine_test(test_what_becomes_ready_behind_a_computation_is_seen),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
