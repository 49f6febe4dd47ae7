/* SPDX-License-Identifier: MIT */
/* Who writes readies who reads, hooks/peer.h: as long as the two numbers are ends of one thing; and who reads
 * far from who writes goes there. */
#include "pipe_waiter.h"

#include "../../hooks/descriptor.h"
#include "../../hooks/peer.h"

enum { BYTES = 12 };

/* On that processor. */
static void write_end_written(unsigned index)
{
    machine_go_to(index);
    weft_peer_written(weft_descriptor_find(ends[1]), 1);
}

static bool parked(const struct coroutine *coroutine)
{
    return __atomic_load_n(&coroutine->state, __ATOMIC_SEQ_CST) == WEFT_PARKED &&
           __atomic_load_n(&coroutine->home, __ATOMIC_SEQ_CST);
}

static void wait_on_first(void *argument)
{
    machine_go_to(0);
    wait_for_watchers(argument);
}

/* On the first processor, as is the caller. Parked when this returns. */
static void start_waiter_here(struct waiter *waiter)
{
    *waiter = (struct waiter){.count = 1, .deadline = WEFT_NEVER, .result = 99};
    waiter->watchers[0] = (struct weft_watcher){.fd = ends[0], .events = WEFT_READABLE, .shared = true};
    task_start(&waiter->task, wait_on_first, waiter);
    assert_true(task_yield_until(&waiter->waits, 1));
    while (!parked(waiter->task.coroutine))
        weft_yield(weft_current);
}

static void test_who_reads_the_other_end_is_readied(void **state)
{
    struct waiter waiter;
    (void)state;
    weft_peers_made(ends[0], ends[1]);
    start_waiter_here(&waiter);
    weft_peer_written(weft_descriptor_find(ends[1]), -EAGAIN); /* nothing was */
    assert_true(parked(waiter.task.coroutine));
    write_end_written(0);
    assert_true(task_yield_until(&waiter.done, 1)); /* though there is nothing to read */
    join(&waiter, 0);
}

static void test_a_number_that_was_used_again_is_no_end(void **state)
{
    struct waiter waiter;
    (void)state;
    weft_peers_made(ends[0], ends[1]);
    weft_descriptor_made(ends[0], WEFT_KIND_PIPE, 0);
    start_waiter_here(&waiter);
    write_end_written(0);
    assert_true(parked(waiter.task.coroutine));
    weft_peers_made(ends[0], ends[0] + 1000); /* with another one */
    write_end_written(0);
    assert_true(parked(waiter.task.coroutine));
    assert_int_equal(write(ends[1], "x", 1), 1);
    join(&waiter, 0);
}

struct reader {
    struct task task;
    unsigned begins; /* on this processor */
    uint32_t waits, reads;
    unsigned where[BYTES]; /* it was when it had read that one */
};

static void read_all(void *argument)
{
    struct reader *reader = argument;
    struct weft_target target = weft_target_of(ends[0]);
    char byte;
    machine_go_to(reader->begins);
    for (int i = 0; i < BYTES; i++) {
        __atomic_store_n(&reader->waits, i + 1, __ATOMIC_SEQ_CST);
        while (weft_raw3(SYS_read, ends[0], (long)&byte, 1) != 1)
            require(weft_wait_target(&target, WEFT_READABLE, WEFT_REASON_READ, WEFT_NEVER) == 0);
        reader->where[i] = weft_current->carrier->processor->index;
        __atomic_store_n(&reader->reads, i + 1, __ATOMIC_SEQ_CST);
    }
    weft_target_done(&target, 0);
}

/* One byte at a time, from processor `writes_on`, when the reader waits. */
static void exchange(struct reader *reader, unsigned begins, unsigned writes_on)
{
    *reader = (struct reader){.begins = begins};
    weft_peers_made(ends[0], ends[1]);
    machine_go_to(writes_on);
    task_start(&reader->task, read_all, reader);
    for (uint32_t i = 0; i < BYTES; i++) {
        assert_true(task_yield_until(&reader->waits, i + 1));
        while (!parked(reader->task.coroutine))
            weft_yield(weft_current);
        assert_int_equal(write(ends[1], "x", 1), 1);
        write_end_written(writes_on);
        assert_true(task_yield_until(&reader->reads, i + 1));
    }
    task_join(&reader->task);
}

static void test_who_reads_goes_where_the_writer_is(void **state)
{
    struct reader reader;
    bool met = false;
    (void)state;
    exchange(&reader, 1, 0);
    assert_int_equal(reader.where[0], 1);
    for (int i = 1; i < BYTES; i++)
        met |= reader.where[i] == 0;
    assert_true(met);
}

static void test_only_one_of_the_two_goes(void **state)
{
    struct reader reader;
    (void)state;
    exchange(&reader, 0, 1);
    for (int i = 0; i < BYTES; i++)
        assert_int_equal(reader.where[i], 0);
}

static int setup(void **state)
{
    (void)state;
    return machine_setup_many(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        piped(test_who_reads_the_other_end_is_readied),
        piped(test_a_number_that_was_used_again_is_no_end),
        piped(test_who_reads_goes_where_the_writer_is),
        piped(test_only_one_of_the_two_goes),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
