// SPDX-License-Identifier: MIT
// Claims: a thread that overflows its stack is stopped by SIGSEGV, with many other threads alive, and has
// written to no other thread's memory before: their stacks hold what they put there.
#include <setjmp.h>
#include <signal.h>
#include "scale.h"

static pthread_barrier_t all, checked;
static long count, intact;
static sigjmp_buf back;
static char *lowest, *fault;

static void *neighbour(void *index)
{
    volatile intptr_t mine[8];

    for (int i = 0; i < 8; i++)
        mine[i] = (intptr_t)index + i;
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&checked);
    for (int i = 0; i < 8; i++)
        CHECK_EQUAL(mine[i], (intptr_t)index + i);
    __atomic_fetch_add(&intact, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void handler(int signal, siginfo_t *information, void *context)
{
    (void)signal;
    (void)context;
    fault = (char *)information->si_addr;
    siglongjmp(back, 1);
}

static unsigned overflow(unsigned depth)
{
    volatile unsigned char frame[1000];
    frame[0] = (unsigned char)depth;
    if (depth == 0)
        return 0;
    return overflow(depth - 1) + frame[0]; // not a tail call
}

static void *overflowing(void *argument)
{
    static char alternate[64 << 10];
    pthread_attr_t attributes;
    size_t size, guard;
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};

    CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
    CHECK_EQUAL(pthread_attr_getstack(&attributes, (void **)&lowest, &size), 0);
    CHECK_EQUAL(pthread_attr_getguardsize(&attributes, &guard), 0);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
    pthread_barrier_wait(&all);
    CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
    if (sigsetjmp(back, 1) == 0)
        overflow(1u << 20);
    CHECK(fault >= lowest - guard && fault < lowest + guard);
    pthread_barrier_wait(&checked);
    return argument;
}

int main(int argc, char **argv)
{
    struct sigaction action;

    count = scale_arguments(argc, argv);
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
    CHECK_EQUAL(pthread_barrier_init(&all, NULL, (unsigned)count), 0);
    CHECK_EQUAL(pthread_barrier_init(&checked, NULL, (unsigned)count), 0);
    pthread_t *threads = (pthread_t *)calloc((size_t)count, sizeof(*threads));
    CHECK(threads != NULL);
    for (long i = 0; i < count; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, i == count / 2 ? overflowing : neighbour, (void *)i),
                    0);
    for (long i = 0; i < count; i++)
        guest_join(threads[i]);
    printf("%ld intact\n", intact);
    CHECK_EQUAL(intact, count - 1);
    return guest_success();
}
