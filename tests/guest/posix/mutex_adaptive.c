// SPDX-License-Identifier: MIT
// Claims: an adaptive mutex, whose contenders spin before they wait, excludes, also when its owner is blocked
// in a call or computes for long while it holds the mutex.
#include "guest.h"

#define THREADS 6
#define ROUNDS  60

static pthread_mutex_t mutex;
static int counter, ends[2];

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        int seen = counter;
        if (i % 20 == 0) {
            char byte = (char)i, back;
            CHECK_EQUAL(write(ends[1], &byte, 1), 1);
            usleep(1000); // the owner is off the processor while others spin and wait
            CHECK_EQUAL(read(ends[0], &back, 1), 1);
            CHECK_EQUAL(back, byte);
        }
        for (volatile int spin = 0; spin < 2000 * ((intptr_t)index + 1); spin++)
            continue;
        counter = seen + 1;
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
    }
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP), 0);
    CHECK_EQUAL(pthread_mutex_init(&mutex, &attributes), 0);
    CHECK_EQUAL(pipe(ends), 0);
    guest_threads(THREADS, body);
    CHECK_EQUAL(counter, THREADS * ROUNDS);
    CHECK_EQUAL(pthread_mutex_destroy(&mutex), 0);
    return guest_success();
}
