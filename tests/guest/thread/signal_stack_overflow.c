// SPDX-License-Identifier: MIT
// Claims: a thread that overflows its stack handles SIGSEGV on its alternate stack, whichever thread it is
// and however often; without an alternate stack the process ends by SIGSEGV.
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include "guest.h"

#define THREADS 4

static __thread sigjmp_buf place;
static __thread char *alternate;
static pthread_barrier_t meeting;
enum { SIZE = 32 << 10 };

static void handle(int number, siginfo_t *info, void *context)
{
    char here;
    (void)number, (void)info, (void)context;
    CHECK(&here >= alternate && &here < alternate + SIZE);
    usleep(100); // others run on this kernel thread meanwhile
    CHECK(&here >= alternate && &here < alternate + SIZE);
    siglongjmp(place, 1);
}

__attribute__((noinline)) static int overflow(int depth)
{
    volatile char room[4096];
    room[depth % 4096] = (char)depth;
    return depth < 0 ? 0 : overflow(depth + 1) + room[depth % 4096];
}

static void *body(void *without)
{
    stack_t stack = {.ss_size = SIZE};
    alternate = stack.ss_sp = malloc(SIZE);
    if (without != &meeting)
        CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
    else
        overflow(0);
    for (volatile int i = 0; i < 5; i++) {
        pthread_barrier_wait(&meeting);
        if (sigsetjmp(place, 1) == 0)
            overflow(0);
    }
    return (void *)1;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    pthread_attr_t attributes;
    pthread_t threads[THREADS];
    intptr_t sum = 0;
    int status;

    CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, body, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        sum += (intptr_t)guest_join(threads[i]);
    printf("threads: %ld\n", (long)sum);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQUAL(pthread_create(&threads[0], &attributes, body, &meeting), 0);
        guest_join(threads[0]);
        _exit(0);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    return guest_success();
}
