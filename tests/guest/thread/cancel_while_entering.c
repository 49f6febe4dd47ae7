// SPDX-License-Identifier: MIT
// Claims: a thread that is cancelled at any moment around the one in which it begins to wait in a system call
// ends as cancelled, and does not wait for ever.
#include <sched.h>
#include "guest.h"

#define ROUNDS 4000

static int ends[2];
static int begun;

static void *body(void *argument)
{
    char byte;
    __atomic_store_n(&begun, 1, __ATOMIC_SEQ_CST);
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    return argument;
}

int main(void)
{
    CHECK_EQUAL(pipe(ends), 0);
    for (int round = 0; round < ROUNDS; round++) {
        __atomic_store_n(&begun, 0, __ATOMIC_SEQ_CST);
        pthread_t thread = guest_start(body, NULL);
        while (!__atomic_load_n(&begun, __ATOMIC_SEQ_CST))
            sched_yield();
        for (volatile int i = 0; i < round % 400; i++)
            continue;
        CHECK_EQUAL(pthread_cancel(thread), 0);
        CHECK(guest_join(thread) == PTHREAD_CANCELED);
    }
    return guest_success();
}
