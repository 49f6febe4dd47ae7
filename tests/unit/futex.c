/* SPDX-License-Identifier: MIT */
/* Futex queues between coroutines. The results are those of futex(2). */
#include "machine.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>

#include "../../core/slab.h"

enum { MOST = 32 };

static char order[4096];
static size_t length;
static uint32_t word, other;
static uint8_t next_priority; /* of the next waiter */

static int fresh(void **state)
{
    (void)state;
    length = 0;
    order[0] = 0;
    word = other = 0;
    return 0;
}

struct waiter {
    struct task task;
    char name;
    uint32_t *address, bitset;
    int64_t deadline;
    uint8_t priority;
    long result;
    int waits; /* 1 when it is about to wait */
};

static void wait_and_note(void *argument)
{
    struct waiter *waiter = argument;
    waiter->waits = 1;
    waiter->result = weft_futex_wait(weft_current, waiter->address, 0, waiter->bitset, waiter->deadline,
                                     WEFT_REASON_FUTEX);
    order[length++] = waiter->name;
    order[length] = 0;
}

/* A waiter for *address == 0 that is parked when this returns, unless its deadline was so near that it may
 * have come already. */
static void start_waiter(struct waiter *waiter, char name, uint32_t *address, uint32_t bitset,
                         int64_t deadline)
{
    *waiter = (struct waiter){
        .name = name, .address = address, .bitset = bitset, .deadline = deadline, .result = 99};
    waiter->priority = next_priority;
    task_prepare(&waiter->task, wait_and_note, waiter);
    waiter->task.coroutine->priority = waiter->priority;
    weft_ready(weft_core_enter(weft_current), waiter->task.coroutine, 0);
    weft_core_leave(weft_current);
    while (!waiter->waits)
        weft_yield(weft_current);
    if (deadline < weft_now() + 1000000)
        return;
    assert_int_equal(waiter->task.coroutine->state, WEFT_PARKED);
    assert_int_equal(waiter->task.coroutine->reason, WEFT_REASON_FUTEX);
}

static void start_waiters(struct waiter *waiters, const char *names, uint32_t *address)
{
    for (size_t i = 0; names[i]; i++)
        start_waiter(&waiters[i], names[i], address, WEFT_FUTEX_ANY, WEFT_NEVER);
}

static long wake(uint32_t *address, int count)
{
    return weft_futex_wake(weft_current, address, count, WEFT_FUTEX_ANY);
}

static void join_all(struct waiter *waiters, size_t count, long result)
{
    for (size_t i = 0; i < count; i++) {
        task_join(&waiters[i].task);
        assert_int_equal(waiters[i].result, result);
    }
}

static void yield_some(void)
{
    for (int i = 0; i < 10; i++)
        weft_yield(weft_current);
}

static void test_wake_releases_the_oldest_waiter(void **state)
{
    struct waiter waiters[3];
    (void)state;
    start_waiters(waiters, "abc", &word);
    assert_int_equal(wake(&word, 1), 1);
    yield_some();
    assert_string_equal(order, "a");
    assert_int_equal(wake(&word, 1), 1);
    yield_some();
    assert_string_equal(order, "ab");
    assert_int_equal(wake(&word, 1), 1);
    join_all(waiters, 3, 0);
    assert_string_equal(order, "abc");
    assert_int_equal(wake(&word, 1), 0);
}

static void test_wake_releases_as_many_as_asked(void **state)
{
    struct waiter waiters[5];
    (void)state;
    start_waiters(waiters, "abcde", &word);
    assert_int_equal(wake(&word, 3), 3);
    yield_some();
    assert_string_equal(order, "abc");
    assert_int_equal(wake(&word, INT32_MAX), 2);
    join_all(waiters, 5, 0);
    assert_string_equal(order, "abcde");
}

static void test_wake_of_another_address_releases_nobody(void **state)
{
    static uint32_t words[4096]; /* some of which share the bucket of `word` or not */
    struct waiter waiter;
    (void)state;
    start_waiters(&waiter, "a", &word);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(wake(&words[i], INT32_MAX), 0);
    assert_int_equal(wake(&other, INT32_MAX), 0);
    assert_int_equal(waiter.result, 99);
    assert_int_equal(wake(&word, 1), 1);
    join_all(&waiter, 1, 0);
}

/* The hash of an address has 18 bits: among 800,000 words there are several per bucket. */
static void test_waiters_of_one_bucket_are_told_apart(void **state)
{
    enum { WORDS = 800000, WAITERS = 200 };
    static uint32_t words[WORDS];
    static struct waiter waiters[WAITERS];
    (void)state;
    for (int i = 0; i < WAITERS; i++)
        start_waiter(&waiters[i], 'a', &words[i * (WORDS / WAITERS)], WEFT_FUTEX_ANY, WEFT_NEVER);
    for (int i = 0; i < WORDS; i++)
        assert_int_equal(wake(&words[i], INT32_MAX), i % (WORDS / WAITERS) == 0);
    join_all(waiters, WAITERS, 0);
}

enum { CROWD = 48, CROWD_WORDS = 5, CROWD_STEPS = 20000 };

/* What the crowd's queues must be: waiters in the order of their coming, for each word. */
static struct waiter crowd[CROWD];
static int queued[CROWD_WORDS][CROWD], queue_length[CROWD_WORDS];
static uint32_t *crowd_words[CROWD_WORDS];

static void end_of(int id, long result)
{
    task_join(&crowd[id].task);
    assert_int_equal(crowd[id].result, result);
    crowd[id].waits = 0;
    length = 0; /* of `order`, which has an end */
}

/* Takes what a wake must release out of the model, and returns how many. */
static int expect(int word_index, int count, uint32_t bitset, int *released)
{
    int kept = 0, taken = 0;
    for (int i = 0; i < queue_length[word_index]; i++) {
        int id = queued[word_index][i];
        if (taken < count && (crowd[id].bitset & bitset))
            released[taken++] = id;
        else
            queued[word_index][kept++] = id;
    }
    queue_length[word_index] = kept;
    return taken;
}

static void step_of_the_crowd(uint64_t random)
{
    int released[CROWD], from = (int)(random % CROWD_WORDS), to = (int)((random >> 8) % CROWD_WORDS), id = 0;
    int count = (int)((random >> 16) % 4) + 1;
    uint32_t bitset = (uint32_t)(random >> 24) % 3 + 1;
    switch ((random >> 32) % 8) {
    default: /* somebody comes */
        while (id < CROWD && crowd[id].waits)
            id++;
        if (id == CROWD)
            return;
        start_waiter(&crowd[id], 'a', crowd_words[from], bitset, WEFT_NEVER);
        queued[from][queue_length[from]++] = id;
        return;
    case 0:
    case 1: {
        int expected = expect(from, count, bitset, released);
        assert_int_equal(weft_futex_wake(weft_current, crowd_words[from], count, bitset), expected);
        for (int i = 0; i < expected; i++)
            end_of(released[i], 0);
        return;
    }
    case 2: { /* a signal or a deadline ends one wait */
        if (queue_length[from] == 0)
            return;
        int at = count % queue_length[from];
        id = queued[from][at];
        memmove(&queued[from][at], &queued[from][at + 1], (size_t)(--queue_length[from] - at) * sizeof(int));
        struct coroutine *waiter = crowd[id].task.coroutine;
        struct processor *processor = weft_core_enter(weft_current);
        assert_true(waiter->abandon(waiter));
        weft_ready(processor, waiter, -EINTR);
        weft_core_leave(weft_current);
        end_of(id, -EINTR);
        return;
    }
    case 3: {
        int woken = expect(from, 1, WEFT_FUTEX_ANY, released), wakened = released[0];
        int moved = from == to ? 0 : expect(from, count, WEFT_FUTEX_ANY, released);
        for (int i = 0; i < moved; i++)
            queued[to][queue_length[to]++] = released[i];
        assert_int_equal(weft_futex_requeue(weft_current, crowd_words[from], 1, count, crowd_words[to], NULL),
                         woken + moved);
        if (woken)
            end_of(wakened, 0);
        return;
    }
    }
}

/* Words of one bucket, found by the hash of futex.c. */
static void find_words_of_one_bucket(void)
{
    enum { WORDS = 1 << 22, BUCKET_BITS = 18 };
    uint32_t *words = weft_pages_map(WORDS * sizeof *words);
    uint64_t bucket = UINT64_MAX;
    int found = 0;
    assert_non_null(words);
    for (size_t i = 0; i < WORDS && found < CROWD_WORDS; i++) {
        uint64_t hash = ((uintptr_t)&words[i] >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BUCKET_BITS);
        if (found == 0)
            bucket = hash;
        if (hash == bucket)
            crowd_words[found++] = &words[i];
    }
    assert_int_equal(found, CROWD_WORDS);
}

static void test_waiters_of_several_words_in_one_bucket_come_and_go(void **state)
{
    uint64_t random = unit_seed();
    (void)state;
    find_words_of_one_bucket();
    for (int step = 0; step < CROWD_STEPS; step++)
        step_of_the_crowd(unit_random(&random));
    for (int i = 0; i < CROWD_WORDS; i++) {
        int released[CROWD], expected = expect(i, CROWD, WEFT_FUTEX_ANY, released);
        assert_int_equal(wake(crowd_words[i], INT32_MAX), expected);
        for (int k = 0; k < expected; k++)
            end_of(released[k], 0);
    }
}

/* The walk to a word does not depend on how many wait for another one in the same bucket. */
static void test_strangers_are_not_walked_past(void **state)
{
    enum { STRANGERS = 2000, WAKES = 1000, BATCHES = 20 };
    static struct waiter strangers[STRANGERS];
    uint64_t least[2] = {UINT64_MAX, UINT64_MAX};
    (void)state;
    find_words_of_one_bucket();
    for (int crowded = 0; crowded < 2; crowded++) {
        struct waiter one;
        for (int i = 0; crowded && i < STRANGERS; i++)
            start_waiter(&strangers[i], 'a', crowd_words[0], WEFT_FUTEX_ANY, WEFT_NEVER);
        start_waiter(&one, 'b', crowd_words[1], 1, WEFT_NEVER);
        for (int batch = 0; batch < BATCHES; batch++) {
            uint64_t began = __builtin_ia32_rdtsc();
            for (int i = 0; i < WAKES; i++) /* each looks for the word and finds nobody with this bit */
                assert_int_equal(weft_futex_wake(weft_current, crowd_words[1], 1, 2), 0);
            uint64_t took = __builtin_ia32_rdtsc() - began;
            least[crowded] = took < least[crowded] ? took : least[crowded];
        }
        assert_int_equal(wake(crowd_words[1], 1), 1);
        join_all(&one, 1, 0);
    }
    assert_int_equal(wake(crowd_words[0], INT32_MAX), STRANGERS);
    join_all(strangers, STRANGERS, 0);
    if (least[1] > 4 * least[0])
        fail_msg("1000 wakes took %lu cycles among strangers, %lu alone", (unsigned long)least[1],
                 (unsigned long)least[0]);
}

static void test_only_waiters_whose_bitset_matches_are_released(void **state)
{
    struct waiter waiters[3];
    (void)state;
    start_waiter(&waiters[0], 'a', &word, 1, WEFT_NEVER);
    start_waiter(&waiters[1], 'b', &word, 2, WEFT_NEVER);
    start_waiter(&waiters[2], 'c', &word, 3, WEFT_NEVER);
    assert_int_equal(weft_futex_wake(weft_current, &word, INT32_MAX, 4), 0);
    assert_int_equal(weft_futex_wake(weft_current, &word, INT32_MAX, 2), 2);
    yield_some();
    assert_string_equal(order, "bc");
    assert_int_equal(weft_futex_wake(weft_current, &word, 1, 1), 1);
    join_all(waiters, 3, 0);
}

static void test_another_value_is_eagain(void **state)
{
    (void)state;
    assert_int_equal(weft_futex_wait(weft_current, &word, 1, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_FUTEX),
                     -EAGAIN);
    assert_int_equal(weft_futex_wait(weft_current, &word, 1, WEFT_FUTEX_ANY, 1, WEFT_REASON_FUTEX), -EAGAIN);
    assert_int_equal(wake(&word, 1), 0);
}

static void start_prioritized(struct waiter *waiters)
{
    static const uint8_t priorities[] = {0, 10, 30, 0, 20, 30, 10};
    for (int i = 0; i < 7; i++) {
        next_priority = priorities[i];
        start_waiter(&waiters[i], (char)('a' + i), &word, WEFT_FUTEX_ANY, WEFT_NEVER);
    }
    next_priority = 0;
}

static void test_the_highest_priority_is_woken_first(void **state)
{
    struct waiter waiters[7];
    (void)state;
    start_prioritized(waiters);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(wake(&word, 1), 1);
        yield_some();
        assert_int_equal(length, i + 1);
    }
    assert_string_equal(order, "cfebgad");
    join_all(waiters, 7, 0);
}

static void test_prioritized_waiters_leave_from_anywhere(void **state)
{
    static const int leaving[] = {4, 2, 3, 1}; /* from within, the first, the last, from within */
    struct waiter waiters[7];
    (void)state;
    start_prioritized(waiters);
    for (int i = 0; i < 4; i++) {
        struct coroutine *waiter = waiters[leaving[i]].task.coroutine;
        struct processor *here = weft_core_enter(weft_current);
        assert_true(weft_futex_abandon(waiter));
        weft_ready(here, waiter, -EINTR);
        weft_core_leave(weft_current);
        yield_some();
    }
    assert_string_equal(order, "ecdb");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wake(&word, 1), 1);
        yield_some();
    }
    assert_string_equal(order, "ecdbfga");
    assert_int_equal(wake(&word, 1), 0);
    for (int i = 0; i < 7; i++)
        task_join(&waiters[i].task);
}

static void test_the_woken_goes_before_a_waker_of_lower_priority(void **state)
{
    struct waiter waiter;
    (void)state;
    next_priority = 10;
    start_waiter(&waiter, 'a', &word, WEFT_FUTEX_ANY, WEFT_NEVER);
    next_priority = 0;
    assert_int_equal(wake(&word, 1), 1);
    assert_string_equal(order, "a");
    join_all(&waiter, 1, 0);
}

static void test_deadlines_end_waits_in_their_order(void **state)
{
    struct waiter waiters[5];
    const char names[] = "dbeac";
    int64_t base = weft_now() + 4000000;
    (void)state;
    for (int i = 0; i < 5; i++)
        start_waiter(&waiters[i], names[i], &word, WEFT_FUTEX_ANY,
                     base + (names[i] - 'a') * INT64_C(2000000));
    join_all(waiters, 5, -ETIMEDOUT);
    assert_string_equal(order, "abcde");
    assert_true(weft_now() >= base + INT64_C(8000000));
    assert_int_equal(wake(&word, INT32_MAX), 0); /* nobody is left in the queue */
}

static void test_a_past_deadline_is_etimedout(void **state)
{
    const int64_t past[] = {-1, 0, 1, weft_now() - 1, weft_now()};
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(weft_futex_wait(weft_current, &word, 0, WEFT_FUTEX_ANY, past[i], WEFT_REASON_FUTEX),
                         -ETIMEDOUT);
}

static void test_a_wake_before_the_deadline_stops_the_timer(void **state)
{
    struct waiter waiter;
    (void)state;
    start_waiter(&waiter, 'a', &word, WEFT_FUTEX_ANY, weft_now() + INT64_C(3600000000000));
    assert_int_equal(wake(&word, 1), 1);
    join_all(&waiter, 1, 0); /* the teardown finds the heap of timers empty */
}

static void test_of_a_wake_and_a_deadline_one_wins(void **state)
{
    (void)state;
    long woken = 0, timed_out = 0;
    for (int round = 0; round < 300; round++) {
        struct waiter waiter;
        int64_t deadline = weft_now() + 20000;
        start_waiter(&waiter, 'a', &word, WEFT_FUTEX_ANY, deadline);
        length = 0;
        while (weft_now() < deadline + (round % 40 - 20) * 1000)
            __builtin_ia32_pause();
        long count = wake(&word, 1);
        task_join(&waiter.task);
        assert_int_equal(waiter.result, count ? 0 : -ETIMEDOUT);
        woken += count;
        timed_out += !count;
    }
    assert_int_equal(woken + timed_out, 300);
    assert_true(woken > 0);
}

static void test_requeue_wakes_some_and_moves_some(void **state)
{
    struct waiter waiters[5];
    const uint32_t expected = 0;
    (void)state;
    start_waiters(waiters, "abcde", &word);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 1, 2, &other, &expected), 3);
    yield_some();
    assert_string_equal(order, "a");
    assert_int_equal(wake(&other, INT32_MAX), 2);
    yield_some();
    assert_string_equal(order, "abc");
    assert_int_equal(wake(&word, INT32_MAX), 2);
    join_all(waiters, 5, 0);
    assert_string_equal(order, "abcde");
}

static void test_requeue_compares(void **state)
{
    struct waiter waiter;
    const uint32_t wrong = 1;
    (void)state;
    start_waiters(&waiter, "a", &word);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 1, 1, &other, &wrong), -EAGAIN);
    assert_int_equal(wake(&other, 1), 0);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 0, 1, &other, NULL), 1);
    assert_int_equal(wake(&word, 1), 0);
    assert_int_equal(wake(&other, 1), 1);
    join_all(&waiter, 1, 0);
}

static void test_moved_waiters_stand_behind_the_targets_own(void **state)
{
    struct waiter waiters[4];
    (void)state;
    start_waiters(waiters, "ab", &other);
    start_waiters(waiters + 2, "cd", &word);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 0, INT32_MAX, &other, NULL), 2);
    assert_int_equal(wake(&other, INT32_MAX), 4);
    join_all(waiters, 4, 0);
    assert_string_equal(order, "abcd");
}

static void test_a_moved_waiter_keeps_its_deadline(void **state)
{
    struct waiter waiters[2];
    (void)state;
    start_waiter(&waiters[0], 'a', &word, WEFT_FUTEX_ANY, weft_now() + 5000000);
    start_waiter(&waiters[1], 'b', &word, WEFT_FUTEX_ANY, WEFT_NEVER);
    assert_int_equal(weft_futex_requeue(weft_current, &word, 0, 2, &other, NULL), 2);
    task_join(&waiters[0].task);
    assert_int_equal(waiters[0].result, -ETIMEDOUT);
    assert_int_equal(wake(&other, 2), 1);
    join_all(waiters + 1, 1, 0);
}

static uint32_t encode(int operation, uint32_t argument, int comparison, uint32_t with)
{
    return (uint32_t)operation << 28 | (uint32_t)comparison << 24 | (argument & 0xfff) << 12 | (with & 0xfff);
}

static void test_wake_op_changes_the_second_word(void **state)
{
    const struct {
        uint32_t operation, before, after;
    } cases[] = {
        {encode(FUTEX_OP_SET, 5, 0, 0), 9, 5},
        {encode(FUTEX_OP_ADD, 5, 0, 0), 9, 14},
        {encode(FUTEX_OP_ADD, (uint32_t)-1, 0, 0), 9, 8}, /* the argument is signed */
        {encode(FUTEX_OP_OR, 6, 0, 0), 9, 15},
        {encode(FUTEX_OP_ANDN, 1, 0, 0), 9, 8},
        {encode(FUTEX_OP_XOR, 3, 0, 0), 9, 10},
        {encode(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 31, 0, 0), 9, 0x80000009},
        {encode(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 4, 0, 0), 9, 16},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        other = cases[i].before;
        assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, cases[i].operation), 0);
        assert_int_equal(other, cases[i].after);
    }
}

static void test_wake_op_wakes_the_second_when_the_old_value_compares(void **state)
{
    const struct {
        int comparison;
        uint32_t old, with;
        bool holds;
    } cases[] = {
        {FUTEX_OP_CMP_EQ, 3, 3, true},
        {FUTEX_OP_CMP_EQ, 3, 4, false},
        {FUTEX_OP_CMP_NE, 3, 4, true},
        {FUTEX_OP_CMP_NE, 3, 3, false},
        {FUTEX_OP_CMP_LT, 3, 4, true},
        {FUTEX_OP_CMP_LT, 3, 3, false},
        {FUTEX_OP_CMP_LE, 3, 3, true},
        {FUTEX_OP_CMP_LE, 4, 3, false},
        {FUTEX_OP_CMP_GT, 4, 3, true},
        {FUTEX_OP_CMP_GT, 3, 3, false},
        {FUTEX_OP_CMP_GE, 3, 3, true},
        {FUTEX_OP_CMP_GE, 2, 3, false},
        {FUTEX_OP_CMP_LT, (uint32_t)-5, 0, true}, /* signed */
        {FUTEX_OP_CMP_GT, 0, (uint32_t)-1, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct waiter waiters[4];
        word = other = 0;
        start_waiters(waiters, "ab", &word);
        start_waiters(waiters + 2, "cd", &other);
        other = cases[i].old;
        uint32_t operation = encode(FUTEX_OP_SET, 7, cases[i].comparison, cases[i].with);
        assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, operation),
                         cases[i].holds ? 2 : 1);
        assert_int_equal(other, 7);
        assert_int_equal(wake(&word, 5), 1);
        assert_int_equal(wake(&other, 5), cases[i].holds ? 1 : 2);
        join_all(waiters, 4, 0);
    }
}

static void test_an_unknown_wake_op_is_enosys_and_changes_nothing(void **state)
{
    (void)state;
    other = 9;
    assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, encode(5, 1, 0, 0)), -ENOSYS);
    assert_int_equal(weft_futex_wake_op(weft_current, &word, 1, 1, &other, encode(0, 1, 6, 0)), -ENOSYS);
    assert_int_equal(other, 9);
}

struct owner {
    struct task task;
    char name;
    uint32_t *lock;
    int64_t deadline;
    bool try_only;
    long locked, unlocked;
    uint32_t word_when_held;
    int tries, holds;
};

static void lock_note_unlock(void *argument)
{
    struct owner *owner = argument;
    owner->tries = 1;
    owner->locked = weft_futex_lock_pi(weft_current, owner->lock, owner->deadline, owner->try_only);
    owner->word_when_held = *owner->lock;
    order[length++] = owner->name;
    order[length] = 0;
    if (owner->locked != 0)
        return;
    owner->holds = 1;
    weft_yield(weft_current);
    owner->unlocked = weft_futex_unlock_pi(weft_current, owner->lock);
}

static void start_owner(struct owner *owner, char name, int64_t deadline, bool try_only)
{
    *owner = (struct owner){.name = name,
                            .lock = &word,
                            .deadline = deadline,
                            .try_only = try_only,
                            .locked = 99,
                            .unlocked = 99};
    task_start(&owner->task, lock_note_unlock, owner);
    while (!owner->tries)
        weft_yield(weft_current);
}

static void test_pi_locks_are_handed_over_in_order(void **state)
{
    struct owner owners[3];
    uint32_t id = (uint32_t)weft_current->tid;
    (void)state;
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, false), 0);
    assert_int_equal(word, id);
    for (int i = 0; i < 3; i++)
        start_owner(&owners[i], (char)('a' + i), WEFT_NEVER, false);
    assert_int_equal(word, id | FUTEX_WAITERS);
    assert_string_equal(order, "");
    uint32_t ids[3];
    for (int i = 0; i < 3; i++)
        ids[i] = (uint32_t)owners[i].task.coroutine->tid;
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), 0);
    assert_int_equal(word, ids[0] | FUTEX_WAITERS); /* the new owner stands there before it runs */
    for (int i = 0; i < 3; i++) {
        task_join(&owners[i].task);
        assert_int_equal(owners[i].locked, 0);
        assert_int_equal(owners[i].unlocked, 0);
        assert_int_equal(owners[i].word_when_held, ids[i] | (i < 2 ? FUTEX_WAITERS : 0));
    }
    assert_string_equal(order, "abc");
    assert_int_equal(word, 0);
}

static void test_pi_errors(void **state)
{
    struct owner owner;
    (void)state;
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), -EPERM);
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, false), 0);
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, false), -EDEADLK);
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, true), -EDEADLK);
    start_owner(&owner, 'a', WEFT_NEVER, true);
    task_join(&owner.task);
    assert_int_equal(owner.locked, -EAGAIN);
    start_owner(&owner, 'b', weft_now() + 3000000, false);
    task_join(&owner.task);
    assert_int_equal(owner.locked, -ETIMEDOUT);
    assert_int_equal(word & FUTEX_TID_MASK, weft_current->tid);
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), 0);
    assert_int_equal(word, 0);
}

static void test_a_free_pi_lock_keeps_the_owner_died_bit(void **state)
{
    (void)state;
    word = FUTEX_OWNER_DIED;
    assert_int_equal(weft_futex_lock_pi(weft_current, &word, WEFT_NEVER, true), 0);
    assert_int_equal(word, (uint32_t)weft_current->tid | FUTEX_OWNER_DIED);
    assert_int_equal(weft_futex_unlock_pi(weft_current, &word), 0);
}

/* A mutex as glibc lays it out for the robust list: the word at an offset from the link. */
struct robust {
    struct robust_list link;
    uint32_t filler, word;
};

struct dying {
    struct task task;
    struct robust_list_head head;
    struct robust locks[4]; /* plain with a waiter, PI with a waiter, plain of another, pending */
};

static void die_holding(void *argument)
{
    struct dying *dying = argument;
    struct coroutine *self = weft_current;
    uint32_t id = (uint32_t)self->tid;
    struct robust *locks = dying->locks;
    locks[0].word = locks[3].word = id;
    locks[2].word = 12345;
    require(weft_futex_lock_pi(self, &locks[1].word, WEFT_NEVER, false) == 0);
    dying->head.futex_offset = offsetof(struct robust, word) - offsetof(struct robust, link);
    dying->head.list.next = &locks[0].link;
    locks[0].link.next = (struct robust_list *)((uintptr_t)&locks[1].link | 1); /* 1: priority inheritance */
    locks[1].link.next = &locks[2].link;
    locks[2].link.next = &dying->head.list;
    dying->head.list_op_pending = &locks[3].link;
    self->robust_list = &dying->head;
    task_sleep(5000000); /* others come to wait */
    weft_futex_release_robust(self, weft_core_enter(self));
    weft_core_leave(self);
}

static void wait_for_plain(void *argument)
{
    struct robust *lock = argument;
    uint32_t value = __atomic_or_fetch(&lock->word, FUTEX_WAITERS, __ATOMIC_SEQ_CST);
    require(weft_futex_wait(weft_current, &lock->word, value, WEFT_FUTEX_ANY, WEFT_NEVER,
                            WEFT_REASON_FUTEX) == 0);
    require(lock->word == (FUTEX_OWNER_DIED | FUTEX_WAITERS));
}

static void test_the_robust_list_of_the_dead_is_released(void **state)
{
    static struct dying dying;
    struct task plain[2];
    struct owner pi;
    (void)state;
    memset(&dying, 0, sizeof dying);
    task_start(&dying.task, die_holding, &dying);
    while (!dying.head.list.next)
        weft_yield(weft_current);
    task_start(&plain[0], wait_for_plain, &dying.locks[0]);
    task_start(&plain[1], wait_for_plain, &dying.locks[0]);
    pi = (struct owner){.name = 'p', .lock = &dying.locks[1].word, .deadline = WEFT_NEVER, .locked = 99};
    task_start(&pi.task, lock_note_unlock, &pi);
    weft_yield(weft_current);
    uint32_t pi_id = (uint32_t)pi.task.coroutine->tid;
    task_join(&dying.task);
    task_join(&pi.task);
    assert_int_equal(pi.locked, 0);
    assert_int_equal(pi.word_when_held, pi_id | FUTEX_OWNER_DIED);
    task_join(&plain[0]);
    assert_int_equal(plain[1].ended, 0);          /* one waiter is woken, not all */
    assert_int_equal(dying.locks[2].word, 12345); /* not its own */
    assert_int_equal(dying.locks[3].word, FUTEX_OWNER_DIED);
    assert_int_equal(wake(&dying.locks[0].word, 5), 1);
    task_join(&plain[1]);
}

static void test_a_circular_robust_list_ends(void **state)
{
    static struct robust_list_head head;
    static struct robust lock;
    (void)state;
    head.futex_offset = offsetof(struct robust, word);
    head.list.next = &lock.link;
    lock.link.next = &lock.link; /* never comes back to the head */
    weft_current->robust_list = &head;
    weft_futex_release_robust(weft_current, weft_core_enter(weft_current));
    weft_core_leave(weft_current);
    weft_current->robust_list = NULL;
    assert_int_equal(lock.word, 0);
}

#define ordered(function) cmocka_unit_test_setup_teardown(function, fresh, machine_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ordered(test_wake_releases_the_oldest_waiter),
        ordered(test_wake_releases_as_many_as_asked),
        ordered(test_wake_of_another_address_releases_nobody),
        ordered(test_waiters_of_one_bucket_are_told_apart),
        ordered(test_waiters_of_several_words_in_one_bucket_come_and_go),
        ordered(test_strangers_are_not_walked_past),
        ordered(test_only_waiters_whose_bitset_matches_are_released),
        ordered(test_another_value_is_eagain),
        ordered(test_the_highest_priority_is_woken_first),
        ordered(test_prioritized_waiters_leave_from_anywhere),
        ordered(test_the_woken_goes_before_a_waker_of_lower_priority),
        ordered(test_deadlines_end_waits_in_their_order),
        ordered(test_a_past_deadline_is_etimedout),
        ordered(test_a_wake_before_the_deadline_stops_the_timer),
        ordered(test_of_a_wake_and_a_deadline_one_wins),
        ordered(test_requeue_wakes_some_and_moves_some),
        ordered(test_requeue_compares),
        ordered(test_moved_waiters_stand_behind_the_targets_own),
        ordered(test_a_moved_waiter_keeps_its_deadline),
        ordered(test_wake_op_changes_the_second_word),
        ordered(test_wake_op_wakes_the_second_when_the_old_value_compares),
        ordered(test_an_unknown_wake_op_is_enosys_and_changes_nothing),
        ordered(test_pi_locks_are_handed_over_in_order),
        ordered(test_pi_errors),
        ordered(test_a_free_pi_lock_keeps_the_owner_died_bit),
        ordered(test_the_robust_list_of_the_dead_is_released),
        ordered(test_a_circular_robust_list_ends),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
