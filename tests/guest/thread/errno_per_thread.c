// SPDX-License-Identifier: MIT
// Claims: errno is each thread's own: what a failed call left there is still there after the thread was
// blocked, while the others failed in other ways.
#include <fcntl.h>
#include <sched.h>
#include "guest.h"

#define THREADS 16

static pthread_barrier_t meeting;

static int fail(int way)
{
    switch (way) {
    case 0:
        return CHECK_EQUAL(close(-1), -1), EBADF;
    case 1:
        return CHECK_EQUAL(open("no-such-file", O_RDONLY), -1), ENOENT;
    case 2:
        return CHECK_EQUAL(open("/dev/null/below", O_RDONLY), -1), ENOTDIR;
    default:
        return CHECK_EQUAL(lseek(0, 0, 1000), -1), EINVAL;
    }
}

static void *body(void *index)
{
    for (int round = 0; round < 50; round++) {
        int expected = fail((round + (int)(intptr_t)index) % 4);
        CHECK_EQUAL(errno, expected);
        sched_yield();
        CHECK_EQUAL(errno, expected);
        CHECK_EQUAL(usleep(1), 0);
        CHECK_EQUAL(errno, expected);
        pthread_barrier_wait(&meeting);
        CHECK_EQUAL(errno, expected);

        errno = (int)(intptr_t)index + 1000;
        pthread_barrier_wait(&meeting);
        CHECK_EQUAL(errno, (intptr_t)index + 1000);
    }
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    errno = 4711;
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, body, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    printf("main's errno: %d\n", errno);
    CHECK_EQUAL(errno, 4711);
    return guest_success();
}
