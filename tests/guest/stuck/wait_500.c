// SPDX-License-Identifier: MIT
// Five hundred threads at once wait for a child each; a hundred others go on.
#include "stuck.h"

enum { CHILDREN = 500 };

static int ends[2]; // a child ends with each byte
static pid_t child[CHILDREN];

static void block(int index)
{
    int status;
    CHECK_EQUAL(waitpid(child[index], &status, 0), child[index]);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == index % 100);
}

static void release(int threads)
{
    while (threads-- > 0)
        CHECK(write(ends[1], "e", 1) == 1);
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    static const int counts[] = {CHILDREN};
    CHECK(pipe(ends) == 0);
    for (int i = 0; i < CHILDREN; i++) {
        char byte;
        child[i] = fork();
        CHECK(child[i] >= 0);
        if (child[i] == 0)
            _exit(read(ends[0], &byte, 1) == 1 ? i % 100 : 255);
    }
    return stuck_run_counts(&kind, counts, 1);
}
