// SPDX-License-Identifier: MIT
// A hundred threads at once wait for their children of vfork to execute a shell, and then for the shells,
// which live for a while; a hundred others go on. The kernel threads that have made the children stay as long
// as these live, and no longer.
#include "stuck.h"

static int writer;

static void block(int index)
{
    int status;
    pid_t child = vfork();
    (void)index;
    if (child == 0) {
        usleep(200000);
        execl("/bin/sh", "sh", "-c", ": <gate", NULL);
        _exit(127);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
}

static void release(int threads)
{
    (void)threads;
    usleep(600000); // spares that nobody needs are gone by then, but for the parents
    writer = open("gate", O_WRONLY);
    CHECK(writer >= 0);
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    static const int counts[] = {100};
    CHECK(mkfifo("gate", 0600) == 0);
    return stuck_run_counts(&kind, counts, 1);
}
