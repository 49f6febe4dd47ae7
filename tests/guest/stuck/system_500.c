// SPDX-License-Identifier: MIT
// Five hundred threads at once are in system(3), whose shells wait for a FIFO to be opened; a hundred others
// go on.
#include "stuck.h"

static int writer;

static void block(int index)
{
    (void)index;
    CHECK_EQUAL(system(": <gate"), 0);
}

static void release(int threads)
{
    (void)threads;
    writer = open("gate", O_WRONLY); // and stays open for shells that come late
    CHECK(writer >= 0);
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    static const int counts[] = {500};
    CHECK(mkfifo("gate", 0600) == 0);
    return stuck_run_counts(&kind, counts, 1);
}
