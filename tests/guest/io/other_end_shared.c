// SPDX-License-Identifier: MIT
// Several that wait for what another thread writes: of those that read each byte wakes one, of those that
// poll all.
#include "io.h"

#include <sys/eventfd.h>

enum { READERS = 4, TOKENS = 4000 };

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static atomic_int taken;

static void *take(void *argument)
{
    char token[2];
    long count;
    while ((count = read(*(int *)argument, token, sizeof token)) > 0)
        atomic_fetch_add(&taken, (int)count);
    CHECK_EQUAL(count, 0);
    return NULL;
}

// Each byte wakes one of several readers; the end of all wakes all.
static void share(void)
{
    int fds[2];
    pthread_t readers[READERS];
    CHECK_EQUAL(pipe(fds), 0);
    for (int i = 0; i < READERS; i++)
        readers[i] = guest_start(take, &fds[0]);
    for (int i = 0; i < TOKENS; i++) {
        CHECK_EQUAL(write(fds[1], "xx", (size_t)(1 + i % 2)), 1 + i % 2);
        if (i % 3 == 0)
            sched_yield();
    }
    close(fds[1]);
    for (int i = 0; i < READERS; i++)
        guest_join(readers[i]);
    close(fds[0]);
    printf("taken: %d of %d\n", taken, TOKENS + TOKENS / 2);
}

static void *wait_for_either(void *argument)
{
    struct pollfd waiting = {.fd = *(int *)argument, .events = POLLIN};
    blocks_next();
    CHECK_EQUAL(poll(&waiting, 1, -1), 1);
    CHECK_EQUAL(waiting.revents, POLLIN);
    return NULL;
}

// Who polls is told, whoever else is, and takes nothing.
static void observe(void)
{
    static int blocked;
    int kinds[][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    CHECK_EQUAL(pipe(kinds[0]), 0);
    unix_pair(SOCK_STREAM, kinds[1]);
    kinds[2][0] = kinds[2][1] = eventfd(0, 0);
    for (int i = 0; i < 3; i++) {
        uint64_t number = 1;
        pthread_t observers[2];
        for (int j = 0; j < 2; j++)
            observers[j] = guest_start(wait_for_either, &kinds[i][0]);
        wait_blocked(blocked += 2);
        CHECK_EQUAL(write(kinds[i][1], &number, sizeof number), sizeof number);
        for (int j = 0; j < 2; j++)
            guest_join(observers[j]);
        CHECK_EQUAL(read(kinds[i][0], &number, sizeof number), sizeof number);
        CHECK_EQUAL(number, 1);
    }
    close_both(kinds[0]);
    close_both(kinds[1]);
    close(kinds[2][0]);
    puts("observed");
}

int main(void)
{
    share();
    observe();
    return guest_success();
}
