// SPDX-License-Identifier: MIT
// Threads wait for any child, in three ways; a hundred others go on.
#include "stuck.h"

static int ends[2]; // a child ends with each byte

static pid_t child_start(void)
{
    char byte;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid > 0)
        return pid;
    _exit(read(ends[0], &byte, 1) == 1 ? 7 : 1);
}

static void prepare(int threads)
{
    while (threads-- > 0)
        child_start();
}

static void block(int index)
{
    int status = 0;
    siginfo_t info;
    if (index % 3 == 0) {
        CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    } else if (index % 3 == 1) {
        CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0);
        CHECK(info.si_code == CLD_EXITED && info.si_status == 7);
    } else {
        CHECK(waitpid(0, &status, 0) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    }
}

static void release(int threads)
{
    while (threads-- > 0)
        CHECK(write(ends[1], "e", 1) == 1);
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    CHECK(pipe(ends) == 0);
    return stuck_run(&kind);
}
