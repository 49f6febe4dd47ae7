/* SPDX-License-Identifier: MIT */
/* Words that share a bucket of the futex queues: their waiters are told apart and keep their order. */
#include "waiter.h"

#include "../../core/slab.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ordered(test_waiters_of_one_bucket_are_told_apart),
        ordered(test_waiters_of_several_words_in_one_bucket_come_and_go),
        ordered(test_strangers_are_not_walked_past),
    };
    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
