// SPDX-License-Identifier: MIT
// Claims: raise in a thread runs the handler in that thread, on its stack, before it returns; errno and
// thread-local data in the handler are the thread's.
#include <signal.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  50

static __thread volatile int handled;
static __thread volatile pthread_t handler_thread;
static __thread char *volatile handler_frame;

static void handle(int number)
{
    CHECK_EQUAL(number, SIGUSR1);
    handled++;
    handler_thread = pthread_self();
    handler_frame = (char *)__builtin_frame_address(0);
}

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        char local;
        errno = 1000 + (int)(intptr_t)index;
        CHECK_EQUAL(raise(SIGUSR1), 0);
        CHECK_EQUAL(errno, 1000 + (intptr_t)index);
        CHECK_EQUAL(handled, i + 1);
        CHECK(pthread_equal(handler_thread, pthread_self()));
        CHECK(handler_frame < &local && &local - handler_frame < 64 << 10);
        usleep(1);
    }
    return (void *)(intptr_t)handled;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    intptr_t sum = guest_threads(THREADS, body);
    printf("handled: %ld\n", (long)sum);
    CHECK_EQUAL(sum, THREADS * ROUNDS);
    CHECK_EQUAL(handled, 0); // main's
    return guest_success();
}
