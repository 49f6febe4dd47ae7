// SPDX-License-Identifier: MIT
// Claims: __thread variables start with their initial value in every thread, keep their alignment, are
// distinct between threads, and neither move nor change while their thread is blocked.
#include <sched.h>
#include "guest.h"

#define THREADS 24

static __thread int initialised = 42;
static __thread char zero[300];
static __thread struct {
    char text[64];
} __attribute__((aligned(256))) aligned = {"aligned"};

static pthread_barrier_t meeting;
static int *addresses[THREADS];

// The compiler may not conclude that two calls return the same.
__attribute__((noinline)) static int *address(void)
{
    int *result = &initialised;
    __asm__ volatile("" : "+r"(result)::"memory");
    return result;
}

static void *body(void *index)
{
    int mine = 1000 + (int)(intptr_t)index;
    int *before = addresses[(intptr_t)index] = address();

    CHECK_EQUAL(initialised, 42);
    for (size_t i = 0; i < sizeof(zero); i++)
        CHECK_EQUAL(zero[i], 0);
    CHECK(strcmp(aligned.text, "aligned") == 0);
    CHECK_EQUAL((uintptr_t)aligned.text % 256, 0);

    initialised = mine;
    memset(zero, mine, sizeof(zero));
    snprintf(aligned.text, sizeof(aligned.text), "thread %d", mine);
    for (int i = 0; i < 20; i++) {
        char text[64];
        pthread_barrier_wait(&meeting);
        sched_yield();
        CHECK(address() == before);
        CHECK_EQUAL(*before, mine);
        CHECK_EQUAL(*address(), mine);
        CHECK_EQUAL(zero[299], (char)mine);
        snprintf(text, sizeof(text), "thread %d", mine);
        CHECK(strcmp(aligned.text, text) == 0);
    }
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    guest_threads(THREADS, body);
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j <= i; j++)
            CHECK(addresses[i] != (i == j ? address() : addresses[j]));
    CHECK_EQUAL(initialised, 42);
    return guest_success();
}
