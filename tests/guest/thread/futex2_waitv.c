// SPDX-License-Identifier: MIT
// Claims: a wait for up to 128 words tells which was woken, whether its words are private, shared or mixed,
// and takes one wake only; it is moved with one of its words; another value ends it at once; handlers end it
// without SA_RESTART, and with it do not, whether it has a time-out or none.
#include <signal.h>
#include <sys/mman.h>
#include "futex2.h"

enum { MOST = 128 };

static uint32_t words[MOST], other, *shared;
static int handled, ended;

struct wait {
    int count;
    bool timed, one_shared;
    long result;
    int error;
};

static void *wait_for_words(void *argument)
{
    struct wait *wait = argument;
    struct waitv vector[MOST];
    struct timespec hour = guest_timespec(guest_now(CLOCK_MONOTONIC) + 3600 * GUEST_SECOND);
    for (int i = 0; i < wait->count; i++)
        vector[i] = waitv_of(&words[i], 0, U32_PRIVATE);
    if (wait->one_shared)
        vector[wait->count - 1] = waitv_of(shared, 0, U32);
    wait->result =
        syscall(CALL_WAITV, vector, (long)wait->count, 0L, wait->timed ? &hour : NULL, (long)CLOCK_MONOTONIC);
    wait->error = errno;
    __atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void check_indices(void)
{
    static const int counts[] = {1, 3, 9, MOST};
    for (int c = 0; c < 4; c++)
        for (int timed = 0; timed < 2; timed++)
            for (int index = 0; index < counts[c]; index += index < 10 ? 1 : 13) {
                struct wait wait = {.count = counts[c], .timed = timed};
                pthread_t waiter = guest_start(wait_for_words, &wait);
                wake_one(&words[index], index % 2);
                guest_join(waiter);
                CHECK_EQUAL(wait.result, index);
                for (int i = 0; i < counts[c]; i++)
                    CHECK_EQUAL(syscall(CALL_WAKE, &words[i], 1UL, 9L, (long)U32_PRIVATE), 0);
            }
}

static void check_shared(void)
{
    for (int index = 0; index < 3; index++) {
        struct wait wait = {.count = 3, .one_shared = true};
        pthread_t waiter = guest_start(wait_for_words, &wait);
        if (index < 2)
            wake_one(&words[index], index);
        else
            while (syscall(CALL_WAKE, shared, 1UL, 1L, (long)U32) == 0)
                sched_yield();
        guest_join(waiter);
        CHECK_EQUAL(wait.result, index);
    }
}

static void check_moved(void)
{
    struct waitv pair[2] = {waitv_of(&words[1], 0, U32_PRIVATE), waitv_of(&other, 0, U32_PRIVATE)};
    for (int index = 0; index < 3; index++) {
        struct wait wait = {.count = 3};
        pthread_t waiter = guest_start(wait_for_words, &wait);
        while (syscall(CALL_REQUEUE, pair, 0L, 0L, 1L) == 0)
            sched_yield();
        CHECK_EQUAL(syscall(CALL_WAKE, &words[1], 1UL, 9L, (long)U32_PRIVATE), 0);
        wake_one(index == 1 ? &other : &words[index], true);
        guest_join(waiter);
        CHECK_EQUAL(wait.result, index);
        CHECK_EQUAL(syscall(CALL_WAKE, &other, 1UL, 9L, (long)U32_PRIVATE), 0);
    }
}

// The same word twice, and a word that has another value.
static void check_values(void)
{
    struct waitv vector[3];
    struct timespec past = {0, 0};
    for (int different = -1; different < 3; different++) {
        for (int i = 0; i < 3; i++)
            vector[i] = waitv_of(&words[i % 2], i == different, U32_PRIVATE);
        errno = 0;
        CHECK_EQUAL(syscall(CALL_WAITV, vector, 3L, 0L, &past, (long)CLOCK_REALTIME), -1);
        CHECK_EQUAL(errno, different < 0 ? ETIMEDOUT : EAGAIN);
    }
}

static void handle(int number)
{
    (void)number;
    __atomic_fetch_add(&handled, 1, __ATOMIC_SEQ_CST);
}

static void *wait_for_one(void *timed)
{
    struct timespec hour = guest_timespec(guest_now(CLOCK_REALTIME) + 3600 * GUEST_SECOND);
    long result =
        syscall(CALL_WAIT, &words[0], 0L, 1UL, (long)U32_PRIVATE, timed ? &hour : NULL, (long)CLOCK_REALTIME);
    return (void *)(intptr_t)(result < 0 ? errno : 0);
}

static void send_signals(pthread_t thread, int count)
{
    for (int i = 0; i < count; i++) {
        int before = __atomic_load_n(&handled, __ATOMIC_SEQ_CST);
        CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
        while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == before)
            sched_yield();
    }
}

static void check_signals(int flags)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    for (int way = 0; way < 4; way++) {
        struct wait wait = {.count = 3, .timed = way & 1, .one_shared = way & 2};
        ended = 0;
        pthread_t waiter = guest_start(wait_for_words, &wait);
        if (flags & SA_RESTART) {
            send_signals(waiter, 50);
            wake_one(&words[1], true);
        } else {
            while (!__atomic_load_n(&ended, __ATOMIC_SEQ_CST)) {
                CHECK_EQUAL(pthread_kill(waiter, SIGUSR1), 0);
                sched_yield();
            }
        }
        guest_join(waiter);
        CHECK_EQUAL(wait.result, flags & SA_RESTART ? 1 : -1);
        CHECK(flags & SA_RESTART || wait.error == EINTR);
    }
    for (intptr_t timed = 0; flags & SA_RESTART && timed < 2; timed++) {
        pthread_t waiter = guest_start(wait_for_one, (void *)timed);
        send_signals(waiter, 50);
        wake_one(&words[0], true);
        CHECK_EQUAL((intptr_t)guest_join(waiter), 0);
    }
}

// Takers of tokens, each by any of the words: no token is lost.
enum { TAKERS = 8, TOKENS = 4000, PLACES = 5 };
static uint32_t places[PLACES], closed;
static int taken;

static void *take(void *unused)
{
    for (;;) {
        struct waitv vector[PLACES + 1];
        for (int i = 0; i < PLACES; i++) {
            uint32_t tokens = __atomic_load_n(&places[i], __ATOMIC_SEQ_CST);
            while (tokens && !__atomic_compare_exchange_n(&places[i], &tokens, tokens - 1, false,
                                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                ;
            if (tokens)
                __atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
            vector[i] = waitv_of(&places[i], 0, U32_PRIVATE);
        }
        vector[PLACES] = waitv_of(&closed, 0, U32_PRIVATE);
        if (__atomic_load_n(&closed, __ATOMIC_SEQ_CST))
            return unused;
        long result = syscall(CALL_WAITV, vector, (long)PLACES + 1, 0L, NULL, 0L);
        CHECK((result >= 0 && result <= PLACES) || (result == -1 && errno == EAGAIN));
    }
}

static void check_tokens(void)
{
    pthread_t takers[TAKERS];
    for (int i = 0; i < TAKERS; i++)
        takers[i] = guest_start(take, NULL);
    for (int i = 0; i < TOKENS; i++) {
        uint32_t *place = &places[i % PLACES];
        __atomic_fetch_add(place, 1, __ATOMIC_SEQ_CST);
        CHECK(syscall(CALL_WAKE, place, 1UL, 1L, (long)U32_PRIVATE) >= 0);
        if (i % 7 == 0) // all tokens so far are taken, or somebody sleeps on one
            while (__atomic_load_n(&taken, __ATOMIC_SEQ_CST) <= i)
                sched_yield();
    }
    while (__atomic_load_n(&taken, __ATOMIC_SEQ_CST) < TOKENS)
        sched_yield();
    __atomic_store_n(&closed, 1, __ATOMIC_SEQ_CST);
    CHECK(syscall(CALL_WAKE, &closed, 1UL, (long)INT32_MAX, (long)U32_PRIVATE) >= 0);
    for (int i = 0; i < TAKERS; i++)
        guest_join(takers[i]);
}

static void *body(void *unused)
{
    check_indices();
    check_shared();
    check_moved();
    check_values();
    check_signals(0);
    check_signals(SA_RESTART);
    check_tokens();
    return unused;
}

int main(void)
{
    skip_without_futex2();
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    guest_join(guest_start(body, NULL));
    return guest_success();
}
