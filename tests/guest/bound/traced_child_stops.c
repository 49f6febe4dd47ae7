// SPDX-License-Identifier: MIT
// Threads that wait for a child which asks to be traced later, and stops: the wait ends when it stops, and
// its parent traces it to its end. (That the parent waits by then is a claim.) Others go on meanwhile.
#include "bound.h"
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { PARENTS = 3, OTHERS = 8, CALLS = 20, STATUS = 7 };

static void *be_parent(void *unused)
{
    int status, stops = 0;
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        raise(SIGSTOP);
        for (int i = 0; i < CALLS; i++)
            syscall(SYS_getppid);
        _exit(STATUS);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    for (;; stops++) {
        wander(1);
        CHECK_EQUAL(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        CHECK_EQUAL(waitpid(child, &status, 0), child);
        if (!WIFSTOPPED(status))
            break;
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == STATUS);
    CHECK(stops > 2 * CALLS); // how many more is libc's business
    return unused;
}

static void *go_on(void *unused)
{
    wander(20);
    return unused;
}

int main(void)
{
    pthread_t threads[PARENTS + OTHERS];
    wander_begin();
    for (int i = 0; i < PARENTS + OTHERS; i++)
        threads[i] = guest_start(i < PARENTS ? be_parent : go_on, NULL);
    for (int i = 0; i < PARENTS + OTHERS; i++)
        guest_join(threads[i]);
    return guest_success();
}
