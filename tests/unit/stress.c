/* SPDX-License-Identifier: MIT */
/*
 * A seeded stress of the parking protocol.
 *
 * Wanderers do random operations on shared words, a PI lock and a pipe; pairs hand a word to and fro without
 * deadlines, so a lost wake-up leaves a pair standing still. They interrupt each other as signals do, and
 * visit each other's processors, and let processors stand by. Some are bound after a while, and have their
 * kernel threads to themselves from then on. In the end each wait has had a legal result, and the books
 * balance: as many waits woken as wakes counted, as many bytes read as written.
 *
 *   WEFT_TEST_SEED        repeats the random choices (not the kernel's)
 *   WEFT_TEST_SECONDS     how long, 2 by default
 *   WEFT_TEST_PROCESSORS  1 by default
 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <time.h>
#include <unistd.h>

#include "../../core/bound.h"
#include "../../core/parallelism.h"

enum { WANDERERS = 24, PAIRS = 6, WORDS = 4, TASKS = WANDERERS + 2 * PAIRS };
enum { BOUND = 4, BOUND_AFTER = 500 /* operations, for the first */ };

static uint64_t seed;
static uint32_t stop;
static unsigned processors;

static uint32_t words[WORDS], pi_lock, turns[PAIRS];
static int ends[2];

static atomic_long many_woken, waits_woken, wakes, waits_timed_out, waits_again, moved, read_bytes,
    written_bytes, in_kernel, hogged, pi_held, pi_timed_out, hand_overs, yields, interrupted, visits;
static long pi_inside;

static struct task tasks[TASKS];
static uint64_t random_states[TASKS];

/* What a wait was told; an interruption has been seen to. */
static long told(long result)
{
    if (result == -EINTR) {
        __atomic_store_n(&weft_current->signal_due, 0, __ATOMIC_SEQ_CST);
        atomic_fetch_add(&interrupted, 1);
    }
    return result;
}

static void interrupt_somebody(uint64_t *random)
{
    struct coroutine *target = tasks[unit_random(random) % WANDERERS].coroutine;
    __atomic_store_n(&target->signal_due, 1, __ATOMIC_SEQ_CST);
    struct processor *here = weft_core_enter(weft_current);
    weft_interrupt(here, target);
    weft_core_leave(weft_current);
}

/* Whoever visits has the processor to itself. */
static int inside[8];

static void look_around(void *processor)
{
    int *here = &inside[((struct processor *)processor)->index % 8];
    require(__atomic_add_fetch(here, 1, __ATOMIC_SEQ_CST) == 1);
    weft_processor_verify(processor);
    require(__atomic_sub_fetch(here, 1, __ATOMIC_SEQ_CST) == 0);
    atomic_fetch_add(&visits, 1);
}

static void visit_somebody(uint64_t *random)
{
    struct processor *processor = &weft_processors[unit_random(random) % weft_processor_count];
    weft_visit(processor, look_around, processor);
}

/* Kernel threads of those that are bound; 0: of nobody yet. */
static int bound_threads[BOUND];

static void become_bound(int which)
{
    int tid = (int)weft_raw0(SYS_gettid);
    weft_bound_begin(weft_current, which % 2 ? WEFT_BOUND_ALONE : WEFT_BOUND_HEIRS);
    __atomic_store_n(&bound_threads[which], tid, __ATOMIC_SEQ_CST);
}

/* `self`: which of the bound, or -1. */
static void check_kernel_thread(int self)
{
    int tid = (int)weft_raw0(SYS_gettid);
    for (int i = 0; i < BOUND; i++) {
        int bound = __atomic_load_n(&bound_threads[i], __ATOMIC_SEQ_CST);
        require(!bound || (bound == tid) == (i == self));
    }
}

static bool stopped(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* A deadline of up to a millisecond, sometimes already past. */
static int64_t some_deadline(uint64_t *random)
{
    return weft_now() + (int64_t)(unit_random(random) % 1000000) - 20000;
}

static void wait_on_a_word(uint64_t *random)
{
    uint32_t *word = &words[unit_random(random) % WORDS];
    uint32_t value = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t bitset = 1u << unit_random(random) % 3 | 8;
    int64_t deadline = unit_random(random) % 2 ? some_deadline(random) : weft_now() + 50000000;
    long result = told(weft_futex_wait(weft_current, word, value, bitset, deadline, WEFT_REASON_FUTEX));
    require(result == 0 || result == -EAGAIN || result == -ETIMEDOUT || result == -EINTR);
    if (result == 0)
        atomic_fetch_add(&waits_woken, 1);
    else if (result != -EINTR)
        atomic_fetch_add(result == -EAGAIN ? &waits_again : &waits_timed_out, 1);
}

/* Some words, perhaps one of them twice. The books hold: a wake counts such a waiter once. */
static void wait_on_many_words(uint64_t *random)
{
    struct weft_futex_many *many = weft_futex_many_take();
    require(many != NULL);
    struct weft_futex_word *chosen = weft_futex_many_words(many);
    unsigned count = 1 + (unsigned)(unit_random(random) % (2 * WORDS));
    for (unsigned i = 0; i < count; i++) {
        chosen[i].address = &words[unit_random(random) % WORDS];
        chosen[i].value = __atomic_load_n(chosen[i].address, __ATOMIC_SEQ_CST);
    }
    int64_t deadline = unit_random(random) % 2 ? some_deadline(random) : weft_now() + 50000000;
    long result = told(weft_futex_wait_many(weft_current, many, count, deadline));
    weft_futex_many_give(many);
    require((result >= 0 && result < count) || result == -EAGAIN || result == -ETIMEDOUT || result == -EINTR);
    if (result >= 0) {
        atomic_fetch_add(&waits_woken, 1);
        atomic_fetch_add(&many_woken, 1);
    } else if (result != -EINTR) {
        atomic_fetch_add(result == -EAGAIN ? &waits_again : &waits_timed_out, 1);
    }
}

static void wake_a_word(uint64_t *random)
{
    uint32_t *word = &words[unit_random(random) % WORDS];
    int count = unit_random(random) % 4 ? 1 : INT32_MAX;
    uint32_t bitset = unit_random(random) % 2 ? WEFT_FUTEX_ANY : 1u << unit_random(random) % 3;
    if (unit_random(random) % 2)
        __atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
    long result = weft_futex_wake(weft_current, word, count, bitset);
    require(result >= 0 && result <= WANDERERS && result <= count);
    atomic_fetch_add(&wakes, result);
}

static void wake_two_words(uint64_t *random)
{
    uint32_t *first = &words[unit_random(random) % WORDS], *second = &words[unit_random(random) % WORDS];
    long result =
        weft_futex_wake_op(weft_current, first, 1, 1, second, (uint32_t)FUTEX_OP_ADD << 28 | 1 << 12);
    require(result >= 0 && result <= 2);
    atomic_fetch_add(&wakes, result);
}

static void move_waiters(uint64_t *random)
{
    uint32_t *from = &words[unit_random(random) % WORDS], *to = &words[unit_random(random) % WORDS];
    uint32_t value = __atomic_load_n(from, __ATOMIC_SEQ_CST);
    long result = weft_futex_requeue(weft_current, from, 0, 1 + (int)(unit_random(random) % 3), to, &value);
    require(result == -EAGAIN || (result >= 0 && result <= 3));
    if (result > 0)
        atomic_fetch_add(&moved, result);
}

static void hold_the_pi_lock(uint64_t *random)
{
    int64_t deadline = unit_random(random) % 2 ? WEFT_NEVER : some_deadline(random);
    long result = told(weft_futex_lock_pi(weft_current, &pi_lock, deadline, false));
    require(result == 0 || result == -EINTR || (result == -ETIMEDOUT && deadline != WEFT_NEVER));
    if (result != 0) {
        atomic_fetch_add(&pi_timed_out, result == -ETIMEDOUT);
        return;
    }
    require((__atomic_load_n(&pi_lock, __ATOMIC_SEQ_CST) & FUTEX_TID_MASK) == (uint32_t)weft_current->tid);
    require(__atomic_fetch_add(&pi_inside, 1, __ATOMIC_SEQ_CST) == 0);
    if (unit_random(random) % 2)
        weft_yield(weft_current);
    require(__atomic_fetch_sub(&pi_inside, 1, __ATOMIC_SEQ_CST) == 1);
    atomic_fetch_add(&pi_held, 1);
    require(weft_futex_unlock_pi(weft_current, &pi_lock) == 0);
}

static void read_the_pipe(uint64_t *random)
{
    char bytes[16];
    struct weft_watcher watcher = {
        .fd = ends[0], .events = WEFT_READABLE, .shared = unit_random(random) % 4 == 0};
    long result = told(weft_wait_watchers(&watcher, 1, WEFT_REASON_READ, some_deadline(random)));
    require(result == 0 || result == -ETIMEDOUT || result == -EINTR);
    result = weft_raw3(SYS_read, ends[0], (long)bytes, 1 + (long)(unit_random(random) % sizeof bytes));
    require(result > 0 || result == -EAGAIN);
    if (result > 0)
        atomic_fetch_add(&read_bytes, result);
}

static void write_the_pipe(uint64_t *random)
{
    char bytes[16] = {0};
    struct weft_watcher watcher = {.fd = ends[1], .events = WEFT_WRITABLE};
    long result = told(weft_wait_watchers(&watcher, 1, WEFT_REASON_WRITE, some_deadline(random)));
    require(result == 0 || result == -ETIMEDOUT || result == -EINTR);
    result = weft_raw3(SYS_write, ends[1], (long)bytes, 1 + (long)(unit_random(random) % sizeof bytes));
    require(result > 0 || result == -EAGAIN);
    if (result > 0)
        atomic_fetch_add(&written_bytes, result);
}

static void enter_the_kernel(uint64_t *random)
{
    struct timespec nap = {0, (long)(unit_random(random) % 100000)};
    struct coroutine *self = weft_current;
    weft_kernel_enter(self);
    weft_raw2(SYS_nanosleep, (long)&nap, 0);
    weft_kernel_leave(self);
    require(weft_current == self);
    atomic_fetch_add(&in_kernel, 1);
}

/* Long enough for the monitor to hand the processor on. */
static void hog(void)
{
    int64_t end = weft_now() + 2 * WEFT_SLICE;
    while (weft_now() < end)
        __builtin_ia32_pause();
    atomic_fetch_add(&hogged, 1);
}

static void wander(void *argument)
{
    uint64_t *random = argument;
    int self = (int)(random - random_states), bound = -1;
    for (int operations = 0; !stopped(); operations++) {
        if (self < BOUND && operations == BOUND_AFTER * (self + 1))
            become_bound(bound = self);
        if (operations % 16 == 0)
            check_kernel_thread(bound);
        unsigned choice = (unsigned)(unit_random(random) % 1000);
        if (choice < 170)
            wait_on_a_word(random);
        else if (choice < 250)
            wait_on_many_words(random);
        else if (choice < 450)
            wake_a_word(random);
        else if (choice < 500)
            wake_two_words(random);
        else if (choice < 550)
            move_waiters(random);
        else if (choice < 650)
            hold_the_pi_lock(random);
        else if (choice < 750)
            read_the_pipe(random);
        else if (choice < 850)
            write_the_pipe(random);
        else if (choice < 900)
            enter_the_kernel(random);
        else if (choice < 920)
            interrupt_somebody(random);
        else if (choice < 930)
            visit_somebody(random);
        else if (choice == 930)
            atomic_store(&weft_parallelism, 1 + unit_random(random) % processors);
        else if (choice == 999 && unit_random(random) % 8 == 0)
            hog();
        else
            atomic_fetch_add(&yields, weft_yield(weft_current));
    }
}

/* One of a pair: task WANDERERS + 2 * pair + side. */
static void pass_to_and_fro(void *argument)
{
    uint64_t *random = argument;
    unsigned task = (unsigned)(random - random_states) - WANDERERS, side = task % 2;
    uint32_t *turn = &turns[task / 2];
    while (!stopped()) {
        while (__atomic_load_n(turn, __ATOMIC_SEQ_CST) != side && !stopped()) {
            long result =
                weft_futex_wait(weft_current, turn, !side, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX);
            require(result == 0 || result == -EAGAIN);
        }
        atomic_fetch_add(&hand_overs, 1);
        unsigned pause = (unsigned)(unit_random(random) % 64);
        if (pause == 0)
            enter_the_kernel(random);
        else if (pause < 4)
            weft_yield(weft_current);
        __atomic_store_n(turn, !side, __ATOMIC_SEQ_CST);
        require(weft_futex_wake(weft_current, turn, 1, WEFT_FUTEX_ANY) <= 1);
    }
    /* The other may have answered while the wake stood aside for it, and waits for its turn again. */
    __atomic_store_n(turn, !side, __ATOMIC_SEQ_CST);
    weft_futex_wake(weft_current, turn, 1, WEFT_FUTEX_ANY);
}

static void prepare(int i, void (*function)(void *))
{
    random_states[i] = seed + (uint64_t)i * 1000003;
    task_prepare(&tasks[i], function, &random_states[i]);
    tasks[i].coroutine->state = WEFT_READY;
}

static bool ends_in_time(struct task *task, int64_t deadline)
{
    while (!__atomic_load_n(&task->ended, __ATOMIC_SEQ_CST))
        if (weft_futex_wait(weft_current, &task->ended, 0, WEFT_FUTEX_ANY, deadline, WEFT_REASON_JOIN) ==
            -ETIMEDOUT)
            return false;
    return true;
}

static void test_every_wait_ends_and_the_books_balance(void **state)
{
    const char *seconds = getenv("WEFT_TEST_SECONDS");
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    for (int i = 0; i < TASKS; i++)
        prepare(i, i < WANDERERS ? wander : pass_to_and_fro);
    for (int i = 0; i < TASKS; i++)
        weft_processor_post(&weft_processors[(unsigned)i % processors], tasks[i].coroutine);
    task_sleep((int64_t)((seconds ? strtod(seconds, NULL) : 2) * 1e9));
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);

    int64_t deadline = weft_now() + INT64_C(10000000000);
    int stuck = 0;
    for (int i = 0; i < TASKS; i++)
        if (!ends_in_time(&tasks[i], deadline)) {
            const struct coroutine *coroutine = tasks[i].coroutine;
            printf("task %d is stuck: state %d, reason %s\n", i, coroutine->state,
                   weft_reason_names[coroutine->reason]);
            stuck++;
        }
    printf(
        "waits: %ld woken, %ld timed out, %ld not begun; %ld moved; pipe: %ld bytes; PI: %ld held, %ld "
        "timed out; "
        "%ld in the kernel; %ld hogs; %ld yields; %ld hand-overs; %ld interrupted; %ld visits; %u carriers\n",
        waits_woken, waits_timed_out, waits_again, moved, read_bytes, pi_held, pi_timed_out, in_kernel,
        hogged, yields, hand_overs, interrupted, visits, weft_carrier_count());
    assert_int_equal(stuck, 0);
    for (int i = 0; i < TASKS; i++)
        task_join(&tasks[i]);

    char rest[4096];
    ssize_t length;
    while ((length = read(ends[0], rest, sizeof rest)) > 0)
        read_bytes += length;
    assert_int_equal(read_bytes, written_bytes);
    assert_int_equal(waits_woken, wakes);
    assert_int_equal(pi_lock & FUTEX_TID_MASK, 0);
    for (int i = 0; i < WORDS; i++)
        assert_int_equal(weft_futex_wake(weft_current, &words[i], INT32_MAX, WEFT_FUTEX_ANY), 0);
    /* It was a stress: each kind of event happened. */
    assert_true(waits_woken && many_woken && waits_timed_out && moved && read_bytes && pi_held &&
                pi_timed_out && in_kernel && yields && interrupted && visits);
    assert_true(hand_overs > PAIRS);
    assert_true(bound_threads[0]);
    for (int i = 0; i < 2; i++) {
        weft_wait_leave_number(ends[i]);
        close(ends[i]);
    }
}

static int setup(void **state)
{
    const char *number = getenv("WEFT_TEST_PROCESSORS");
    (void)state;
    processors = number ? (unsigned)strtoul(number, NULL, 10) : 1;
    if (processors == 0 || machine_setup_many(processors) != 0)
        return -1;
    weft_monitor_start();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_every_wait_ends_and_the_books_balance),
    };
    seed = unit_seed();
    return cmocka_run_group_tests(tests, setup, NULL);
}
