// SPDX-License-Identifier: MIT
// Claims: with a limit of 8192 open files a program has 2,000 threads blocked on as many socket pairs, with
// numbers far above 1024, each of which gets what was written to its own.
#include <sys/resource.h>
#include <sys/socket.h>
#include "guest.h"

#define PAIRS 2000

static int pairs[PAIRS][2];

static void *reads(void *index)
{
    int number = -1;
    CHECK_EQUAL(read(pairs[(intptr_t)index][0], &number, sizeof number), sizeof number);
    CHECK_EQUAL(number, (intptr_t)index);
    return NULL;
}

int main(void)
{
    static pthread_t threads[PAIRS];
    struct rlimit limit;
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 8192;
    if (limit.rlim_max < limit.rlim_cur) {
        puts("the hard limit of open files is too low");
        return 77;
    }
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    pthread_attr_t small;
    CHECK_EQUAL(pthread_attr_init(&small), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&small, 64 * 1024), 0);
    for (intptr_t i = 0; i < PAIRS; i++) {
        CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
        CHECK_EQUAL(pthread_create(&threads[i], &small, reads, (void *)i), 0);
    }
    CHECK(pairs[PAIRS - 1][1] >= 2 * PAIRS);
    for (int i = PAIRS - 1; i >= 0; i--)
        CHECK_EQUAL(write(pairs[i][1], &i, sizeof i), sizeof i);
    for (int i = 0; i < PAIRS; i++)
        guest_join(threads[i]);
    return guest_success();
}
