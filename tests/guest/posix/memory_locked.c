// SPDX-License-Identifier: MIT
// A process locks its memory before it makes threads, while it has some, and no more: the threads work, and
// what is locked is about what they have asked for.
#include "guest.h"
#include <sys/mman.h>

enum { THREADS = 50, STACK = 1024 * 1024, MOST = 160 /* MiB */ };

static pthread_barrier_t all_live;

// A line of /proc/self/status, in MiB.
static long status(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kibibytes = -1;
    CHECK(file != NULL);
    while (kibibytes < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            kibibytes = strtol(line + strlen(name), NULL, 10);
    fclose(file);
    return kibibytes / 1024;
}

static void *fill(void *index)
{
    char room[200000];
    memset(room, (int)(intptr_t)index, sizeof room);
    pthread_barrier_wait(&all_live);
    for (size_t i = 0; i < sizeof room; i++)
        CHECK(room[i] == (char)(intptr_t)index);
    pthread_barrier_wait(&all_live);
    return index;
}

static void threads(int lock)
{
    pthread_t thread[THREADS];
    pthread_attr_t attributes;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, STACK), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        CHECK_EQUAL(pthread_create(&thread[i], &attributes, fill, (void *)i), 0);
    pthread_barrier_wait(&all_live);
    if (lock) {
        CHECK_EQUAL(mlockall(lock), 0);
        CHECK(status("VmLck:") >= THREADS);
    }
    CHECK(status("VmLck:") < MOST && status("VmRSS:") < MOST);
    pthread_barrier_wait(&all_live);
    for (int i = 0; i < THREADS; i++)
        guest_join(thread[i]);
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&all_live, NULL, THREADS + 1), 0);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        puts("not permitted");
        return guest_success();
    }
    threads(0);
    CHECK(status("VmLck:") > 1);
    CHECK_EQUAL(munlockall(), 0);
    for (int round = 0; round < 3; round++) {
        threads(0);
        threads(MCL_CURRENT);
        CHECK_EQUAL(munlockall(), 0);
        threads(MCL_CURRENT | MCL_FUTURE);
        threads(0);
        CHECK_EQUAL(munlockall(), 0);
    }
    return guest_success();
}
