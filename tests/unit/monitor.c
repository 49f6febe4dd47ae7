/* SPDX-License-Identifier: MIT */
/* Carriers and the kernel: who blocks there keeps nobody else from running. */
#include "machine.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <unistd.h>

#include "../../hooks/call.h"

static int ends[2];

static int make_pipe(void **state)
{
    (void)state;
    return pipe(ends);
}

static int close_pipe(void **state)
{
    close(ends[0]);
    close(ends[1]);
    return machine_teardown(state);
}

static int kernel_thread(void)
{
    return (int)weft_raw0(SYS_gettid);
}

/* Reads one byte in the kernel, blocking its carrier. */
struct reader {
    struct task task;
    uint32_t enters, returned;
    bool keeps; /* its processor, behind weft_kernel_enter */
    char got;
    int thread_before, thread_inside, thread_after;
};

static void read_in_kernel(void *argument)
{
    struct reader *reader = argument;
    struct coroutine *self = weft_current;
    volatile double kept = 1.5; /* on its stack, which another kernel thread may load next */
    reader->thread_before = kernel_thread();
    weft_kernel_enter(self);
    reader->keeps = (atomic_load(&weft_processors[0].owner) & ~WEFT_FLAGS) == (uintptr_t)self->carrier;
    reader->thread_inside = kernel_thread();
    __atomic_store_n(&reader->enters, 1, __ATOMIC_SEQ_CST);
    long result = weft_raw3(SYS_read, ends[0], (long)&reader->got, 1);
    weft_kernel_leave(self);
    reader->thread_after = kernel_thread();
    require(result == 1);
    require(weft_current == self && self->state == WEFT_RUNNING && kept == 1.5);
    __atomic_store_n(&reader->returned, 1, __ATOMIC_SEQ_CST);
}

static void test_others_run_while_one_blocks_in_the_kernel(void **state)
{
    struct reader reader = {.got = 0};
    (void)state;
    task_start(&reader.task, read_in_kernel, &reader);
    while (!__atomic_load_n(&reader.enters, __ATOMIC_SEQ_CST))
        weft_yield(weft_current);
    for (int i = 0; i < 100; i++)
        weft_yield(weft_current);
    assert_int_equal(reader.returned, 0);
    assert_false(reader.keeps);                                   /* nor need the monitor take it from him */
    assert_int_equal(reader.thread_inside, reader.thread_before); /* it blocks where it was */
    assert_int_not_equal(reader.thread_inside, kernel_thread());  /* and we are elsewhere */
    assert_true(weft_carrier_count() >= 2);
    assert_int_equal(write(ends[1], "k", 1), 1);
    task_join(&reader.task);
    assert_int_equal(reader.got, 'k');
    assert_int_equal(reader.returned, 1);
}

static void test_main_itself_may_block_in_the_kernel(void **state)
{
    char got = 0;
    (void)state;
    int before = kernel_thread();
    weft_kernel_enter(weft_current);
    assert_int_equal(kernel_thread(), before);
    assert_int_equal(write(ends[1], "m", 1), 1);
    assert_int_equal(weft_raw3(SYS_read, ends[0], (long)&got, 1), 1);
    weft_kernel_leave(weft_current);
    assert_int_equal(got, 'm');
    assert_int_equal(weft_current->tid, getpid());
}

static void yield_and_count(void *argument)
{
    uint32_t *count = argument;
    for (int i = 0; i < 1000; i++) {
        ++*count;
        weft_yield(weft_current);
    }
}

static void await_spare(struct carrier *carrier)
{
    while (__atomic_load_n(&carrier->spare_node.next, __ATOMIC_SEQ_CST) == &carrier->spare_node)
        weft_yield(weft_current);
}

/* A hog between two calls. */
struct computer {
    struct task task;
    uint32_t left, told;
    int thread_before, thread_outside;
};

static void compute_as_hog(void *argument)
{
    struct computer *computer = argument;
    struct coroutine *self = weft_current;
    volatile double kept = 2.5;
    weft_core_enter(self);
    computer->thread_before = kernel_thread();
    __atomic_store_n(&self->hog, 1, __ATOMIC_RELAXED);
    weft_core_leave(self);
    computer->thread_outside = kernel_thread();
    __atomic_store_n(&computer->left, 1, __ATOMIC_SEQ_CST);
    require(task_becomes_set(&computer->told));
    require(weft_current == self && self->state == WEFT_RUNNING && kept == 2.5);
}

static void test_a_hog_leaves_the_carrier_to_the_others(void **state)
{
    struct reader reader = {.got = 0};
    struct computer computer = {.left = 0};
    (void)state;
    task_start(&reader.task, read_in_kernel, &reader);
    while (!__atomic_load_n(&reader.enters, __ATOMIC_SEQ_CST))
        weft_yield(weft_current);
    assert_int_equal(write(ends[1], "h", 1), 1);
    task_join(&reader.task);
    await_spare(weft_carrier_of(reader.thread_inside));
    task_start(&computer.task, compute_as_hog, &computer);
    while (!__atomic_load_n(&computer.left, __ATOMIC_SEQ_CST))
        weft_yield(weft_current);
    assert_int_not_equal(computer.thread_outside, computer.thread_before);
    __atomic_store_n(&computer.told, 1, __ATOMIC_SEQ_CST);
    task_join(&computer.task);
}

static void test_many_block_at_once(void **state)
{
    enum { MANY = 20 };
    struct reader readers[MANY];
    struct task counter;
    uint32_t count = 0;
    char bytes[MANY];
    (void)state;
    memset(readers, 0, sizeof readers);
    memset(bytes, 'b', sizeof bytes);
    for (int i = 0; i < MANY; i++)
        task_start(&readers[i].task, read_in_kernel, &readers[i]);
    for (int i = 0; i < MANY; i++)
        while (!__atomic_load_n(&readers[i].enters, __ATOMIC_SEQ_CST))
            weft_yield(weft_current);
    assert_true(weft_carrier_count() >= MANY + 1);
    for (int i = 0; i < MANY; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(readers[i].thread_inside, readers[k].thread_inside);
    task_start(&counter, yield_and_count, &count);
    task_join(&counter);
    assert_int_equal(count, 1000);
    assert_int_equal(write(ends[1], bytes, MANY), MANY);
    for (int i = 0; i < MANY; i++) {
        task_join(&readers[i].task);
        assert_int_equal(readers[i].got, 'b');
    }
}

static void test_spare_carriers_are_used_again(void **state)
{
    (void)state;
    unsigned most = 0;
    for (int i = 0; i < 200; i++) {
        struct reader reader = {.got = 0};
        task_start(&reader.task, read_in_kernel, &reader);
        while (!__atomic_load_n(&reader.enters, __ATOMIC_SEQ_CST))
            weft_yield(weft_current);
        assert_int_equal(write(ends[1], "s", 1), 1);
        task_join(&reader.task);
        if (i == 100)
            most = weft_carrier_count();
    }
    assert_true(most >= 2);
    assert_true(weft_carrier_count() <= most + 2); /* not one per call */
}

static void test_who_returns_is_not_starved_by_others_that_yield(void **state)
{
    (void)state;
    struct reader reader = {.got = 0};
    task_start(&reader.task, read_in_kernel, &reader);
    while (!__atomic_load_n(&reader.enters, __ATOMIC_SEQ_CST))
        weft_yield(weft_current);
    assert_int_equal(write(ends[1], "y", 1), 1);
    bool returned = task_yield_until(&reader.returned, 1);
    task_join(&reader.task); /* which parks, so the processor is idle */
    assert_true(returned);
}

static void enter_and_post(void *argument)
{
    struct coroutine *self = weft_current;
    weft_kernel_enter(self);
    struct timespec nap = {0, 3000000};
    weft_raw2(SYS_nanosleep, (long)&nap, 0); /* the processor has gone to sleep by now */
    weft_processor_post(&weft_processors[0], argument);
    weft_kernel_leave(self);
}

static uint32_t posted_ran;

static void set_posted(void *argument)
{
    (void)argument;
    posted_ran = 1;
}

static void test_a_post_wakes_a_sleeping_processor(void **state)
{
    struct task poster, posted;
    (void)state;
    posted_ran = 0;
    task_prepare(&posted, set_posted, NULL);
    posted.coroutine->state = WEFT_READY;
    task_start(&poster, enter_and_post, posted.coroutine);
    task_join(&posted);
    task_join(&poster);
    assert_int_equal(posted_ran, 1);
}

static void test_the_global_queue_is_first_in_first_out(void **state)
{
    struct coroutine a = {.index = 0}, b = a, c = a;
    (void)state;
    assert_true(weft_global_empty());
    assert_null(weft_global_take());
    weft_global_append(&a);
    weft_global_append(&b);
    weft_global_append(&c);
    assert_false(weft_global_empty());
    assert_ptr_equal(weft_global_take(), &a);
    assert_ptr_equal(weft_global_take(), &b);
    weft_global_append(&a);
    assert_ptr_equal(weft_global_take(), &c);
    assert_ptr_equal(weft_global_take(), &a);
    assert_null(weft_global_take());
    assert_true(weft_global_empty());
}

static uint32_t other_ran, spinner_saw_it, spinner_was_suspect;

static void spin_until_another_ran(void *argument)
{
    int64_t limit = weft_now() + INT64_C(10000000000);
    (void)argument;
    while (!__atomic_load_n(&other_ran, __ATOMIC_SEQ_CST) && weft_now() < limit)
        __builtin_ia32_pause();
    spinner_saw_it = __atomic_load_n(&other_ran, __ATOMIC_SEQ_CST);
    spinner_was_suspect = __atomic_load_n(&weft_current->suspect, __ATOMIC_RELAXED);
}

static void note_that_it_ran(void *argument)
{
    (void)argument;
    __atomic_store_n(&other_ran, 1, __ATOMIC_SEQ_CST);
}

static void test_who_computes_keeps_nobody_from_running(void **state)
{
    struct task spinner, other;
    (void)state;
    other_ran = spinner_saw_it = 0;
    weft_monitor_start();
    task_start(&spinner, spin_until_another_ran, NULL);
    task_start(&other, note_that_it_ran, NULL);
    task_join(&spinner);
    task_join(&other);
    assert_int_equal(spinner_saw_it, 1);
    assert_int_equal(spinner_was_suspect, 1);
}

/* As a trampoline and its slot do. */
static long call_through_entry(long number, long argument)
{
    __asm__ volatile("lea -%c[red_zone](%%rsp), %%rsp\n\t"
                     "push $0\n\t" /* where the site goes on */
                     "call weft_entry\n\t"
                     "lea 8+%c[red_zone](%%rsp), %%rsp"
                     : "+a"(number)
                     : "D"(argument), [red_zone] "i"(WEFT_RED_ZONE)
                     : "rcx", "r11", "cc", "memory");
    return number;
}

static void test_who_makes_a_call_is_suspected_no_more(void **state)
{
    struct coroutine *self = weft_current;
    (void)state;
    weft_hooks_install();
    self->suspect = true;
    assert_int_equal(call_through_entry(SYS_getpgid, 0), getpgid(0));
    assert_false(self->suspect);
    assert_false(self->in_hook);
}

/* A call that mostly does not wait, but does this time: nobody gives the processor away. */
static void read_briefly(void *argument)
{
    struct reader *reader = argument;
    struct coroutine *self = weft_current;
    __atomic_store_n(&reader->enters, 1, __ATOMIC_SEQ_CST);
    weft_kernel_brief_begin(self);
    weft_raw3(SYS_read, ends[0], (long)&reader->got, 1);
    weft_kernel_brief_end(self);
}

static void test_a_call_that_waits_unexpectedly_keeps_nobody_from_running(void **state)
{
    struct reader reader = {.got = 0};
    (void)state;
    weft_monitor_start();
    task_start(&reader.task, read_briefly, &reader);
    weft_yield(weft_current); /* to the reader; main comes back on another kernel thread */
    assert_int_equal(__atomic_load_n(&reader.enters, __ATOMIC_SEQ_CST), 1);
    assert_int_equal(write(ends[1], "z", 1), 1);
    task_join(&reader.task);
    assert_int_equal(reader.got, 'z');
}

/* Later it would make the process's exit wait for a grace period of the kernel's. */
static void test_it_is_registered_for_barriers_from_its_start_on(void **state)
{
    (void)state;
    weft_monitor_start();
    long supported = weft_raw3(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if (supported < 0 || !(supported & MEMBARRIER_CMD_PRIVATE_EXPEDITED))
        skip();
    assert_int_equal(weft_raw3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
}

#define piped(function) cmocka_unit_test_setup_teardown(function, make_pipe, close_pipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_registered_for_barriers_from_its_start_on),
        piped(test_the_global_queue_is_first_in_first_out),
        piped(test_others_run_while_one_blocks_in_the_kernel),
        piped(test_main_itself_may_block_in_the_kernel),
        piped(test_a_hog_leaves_the_carrier_to_the_others),
        piped(test_many_block_at_once),
        piped(test_spare_carriers_are_used_again),
        piped(test_a_post_wakes_a_sleeping_processor),
        piped(test_who_returns_is_not_starved_by_others_that_yield),
        piped(test_who_computes_keeps_nobody_from_running),
        cmocka_unit_test(test_who_makes_a_call_is_suspected_no_more),
        piped(test_a_call_that_waits_unexpectedly_keeps_nobody_from_running),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
