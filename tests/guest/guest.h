// SPDX-License-Identifier: MIT
// What the guest programs share: checks that name their line, clocks in nanoseconds, threads started and
// joined with every result checked, and the last line that compare looks for. Nothing here knows of weft.
#ifndef GUEST_H
#define GUEST_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GUEST_MILLISECOND INT64_C(1000000)
#define GUEST_SECOND      INT64_C(1000000000)

#define CHECK(condition) ((condition) ? (void)0 : guest_fail(__FILE__, __LINE__, #condition))

// Compares two integers, each evaluated once; a failure shows both.
#define CHECK_EQUAL(actual, expected) \
    guest_check_equal(__FILE__, __LINE__, #actual, (long long)(actual), (long long)(expected))

// Ends the process at once, from whichever thread, without touching stdio's locks.
__attribute__((noreturn)) static inline void guest_fail(const char *file, int line, const char *what)
{
    int error = errno;
    dprintf(STDERR_FILENO, "%s:%d: failed: %s (errno %d)\n", file, line, what, error);
    _exit(1);
}

static inline void guest_check_equal(const char *file, int line, const char *what, long long actual,
                                     long long expected)
{
    int error = errno;
    if (actual == expected)
        return;
    dprintf(STDERR_FILENO, "%s:%d: %s is %lld, not %lld (errno %d)\n", file, line, what, actual, expected,
            error);
    _exit(1);
}

// For the end of main: `return guest_success();`
static inline int guest_success(void)
{
    puts("EXIT-SUCCESS");
    return fflush(stdout) == 0 ? 0 : 1;
}

static inline int64_t guest_now(clockid_t clock)
{
    struct timespec now;
    CHECK_EQUAL(clock_gettime(clock, &now), 0);
    return now.tv_sec * GUEST_SECOND + now.tv_nsec;
}

static inline struct timespec guest_timespec(int64_t nanoseconds)
{
    struct timespec time;
    time.tv_sec = nanoseconds / GUEST_SECOND;
    time.tv_nsec = nanoseconds % GUEST_SECOND;
    return time;
}

static inline pthread_t guest_start(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, body, argument), 0);
    return thread;
}

static inline void *guest_join(pthread_t thread)
{
    void *result;
    CHECK_EQUAL(pthread_join(thread, &result), 0);
    return result;
}

// Runs body in `count` threads, each given its index as argument, joins them all, and returns the sum of
// their results.
static inline intptr_t guest_threads(int count, void *(*body)(void *index))
{
    pthread_t *threads = (pthread_t *)calloc((size_t)count, sizeof(*threads));
    intptr_t sum = 0;
    CHECK(threads != NULL);
    for (int i = 0; i < count; i++)
        threads[i] = guest_start(body, (void *)(intptr_t)i);
    for (int i = 0; i < count; i++)
        sum += (intptr_t)guest_join(threads[i]);
    free(threads);
    return sum;
}

#endif
