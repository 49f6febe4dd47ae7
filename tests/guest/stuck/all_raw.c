// SPDX-License-Identifier: MIT
// All threads but one wait for a word in system calls of the program's own instruction. The one left, which
// has made such a call too, comes back long after all the others have settled, and sleeps by libc. It must go
// on: nobody else will ever do anything.
#include "guest.h"
#include "inline_syscall.h"
#include <linux/futex.h>
#include <stdatomic.h>

enum { THREADS = 16, ROUNDS = 5 };

static atomic_int word;

static void *wait_for_round(void *index)
{
    for (int round = 0; round < ROUNDS; round++)
        while (atomic_load(&word) == round)
            inline_syscall(SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, round, 0);
    return index;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(wait_for_round, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        struct timespec long_time = guest_timespec(200 * GUEST_MILLISECOND), moment = guest_timespec(1000);
        inline_syscall(SYS_nanosleep, (long)&long_time, 0, 0, 0);
        CHECK_EQUAL(nanosleep(&moment, NULL), 0);
        atomic_fetch_add(&word, 1);
        inline_syscall(SYS_futex, (long)&word, FUTEX_WAKE_PRIVATE, THREADS, 0);
    }
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    return guest_success();
}
