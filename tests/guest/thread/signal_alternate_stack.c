// SPDX-License-Identifier: MIT
// Claims: the alternate signal stack belongs to the thread: each thread's handler runs on its own one, also
// after the thread was blocked, and a thread that has none handles on its normal stack.
#include <signal.h>
#include "guest.h"

#define THREADS 6
#define SIZE    (64 << 10)

static pthread_barrier_t meeting;
static __thread char *volatile handler_frame;

static void handle(int number)
{
    stack_t now;
    (void)number;
    handler_frame = (char *)__builtin_frame_address(0);
    CHECK_EQUAL(sigaltstack(NULL, &now), 0);
    if (now.ss_flags != SS_DISABLE)
        CHECK_EQUAL(now.ss_flags, SS_ONSTACK);
}

static void *body(void *index)
{
    int has_one = (intptr_t)index % 3 != 0;
    stack_t mine = {.ss_sp = malloc(SIZE), .ss_size = SIZE}, now;
    char *low = (char *)mine.ss_sp;

    CHECK_EQUAL(sigaltstack(NULL, &now), 0);
    CHECK_EQUAL(now.ss_flags, SS_DISABLE); // not inherited
    if (has_one)
        CHECK_EQUAL(sigaltstack(&mine, NULL), 0);
    for (int i = 0; i < 10; i++) {
        pthread_barrier_wait(&meeting);
        CHECK_EQUAL(raise(SIGUSR1), 0);
        CHECK_EQUAL(handler_frame >= low && handler_frame < low + SIZE, has_one);
        CHECK_EQUAL(sigaltstack(NULL, &now), 0);
        CHECK_EQUAL(now.ss_flags, has_one ? 0 : SS_DISABLE);
        CHECK(!has_one || now.ss_sp == mine.ss_sp);
    }
    mine.ss_flags = SS_DISABLE;
    CHECK_EQUAL(sigaltstack(&mine, NULL), 0);
    free(low);
    return (void *)1;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    stack_t mine = {.ss_sp = malloc(SIZE), .ss_size = SIZE};

    CHECK_EQUAL(sigaltstack(&mine, NULL), 0);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    printf("done: %ld\n", (long)guest_threads(THREADS, body));
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK(handler_frame >= (char *)mine.ss_sp && handler_frame < (char *)mine.ss_sp + SIZE);
    return guest_success();
}
