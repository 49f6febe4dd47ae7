// SPDX-License-Identifier: MIT
// Threads wait for a stream whose lock a thread holds that itself waits for a pipe; a hundred others go on.
#include "stuck.h"

static FILE *stream;
static int gate[2], held[2];
static pthread_t holder;

static void *hold(void *unused)
{
    char byte;
    flockfile(stream);
    CHECK(write(held[1], "h", 1) == 1);
    CHECK(read(gate[0], &byte, 1) == 1);
    fputs("holder\n", stream);
    funlockfile(stream);
    return unused;
}

static void prepare(int threads)
{
    char byte;
    (void)threads;
    holder = guest_start(hold, NULL);
    CHECK(read(held[0], &byte, 1) == 1);
}

static void block(int index)
{
    (void)index;
    CHECK(fputs("waiter\n", stream) >= 0);
}

static void release(int threads)
{
    (void)threads;
    CHECK(write(gate[1], "g", 1) == 1);
    guest_join(holder);
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    char line[20];
    int holders = 0, waiters = 0;
    CHECK(pipe(gate) == 0 && pipe(held) == 0);
    stream = fopen("lines", "w+");
    CHECK(stream != NULL);
    int result = stuck_run(&kind);
    rewind(stream);
    while (fgets(line, sizeof line, stream)) {
        holders += strcmp(line, "holder\n") == 0;
        waiters += strcmp(line, "waiter\n") == 0;
    }
    CHECK_EQUAL(holders, 4);
    CHECK_EQUAL(waiters, 2 * (1 + STUCK_FEW));
    return result;
}
