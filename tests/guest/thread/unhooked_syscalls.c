// SPDX-License-Identifier: MIT
// Claims: system calls that a program makes by instructions of its own block the calling thread and no other,
// however many threads do it at once.
#include <linux/futex.h>
#include <sched.h>
#include "guest.h"
#include "inline_syscall.h"

#define THREADS 8

static int pipes[THREADS][2];
static uint32_t words[THREADS];
static int ready;

static void *body(void *index)
{
    intptr_t me = (intptr_t)index;
    char byte = 0;

    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    CHECK_EQUAL(inline_syscall(SYS_read, pipes[me][0], (long)&byte, 1, 0), 1);
    CHECK_EQUAL(byte, 'a' + me);
    if (me + 1 < THREADS) // the last to block wakes its predecessor, and so on
        while (inline_syscall(SYS_futex, (long)&words[me], FUTEX_WAIT_PRIVATE, 0, 0) != -EAGAIN)
            continue;
    if (me > 0) {
        __atomic_store_n(&words[me - 1], 1, __ATOMIC_SEQ_CST);
        CHECK(inline_syscall(SYS_futex, (long)&words[me - 1], FUTEX_WAKE_PRIVATE, 1, 0) >= 0);
    }
    return index;
}

int main(void)
{
    pthread_t threads[THREADS];
    intptr_t sum = 0;

    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pipe(pipes[i]), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(body, (void *)i);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < THREADS)
        sched_yield();
    for (int i = 0; i < THREADS; i++) {
        char byte = (char)('a' + i);
        CHECK_EQUAL(write(pipes[i][1], &byte, 1), 1);
    }
    for (int i = 0; i < THREADS; i++)
        sum += (intptr_t)guest_join(threads[i]);
    printf("sum: %ld\n", (long)sum);
    return guest_success();
}
