// SPDX-License-Identifier: MIT
// Ten threads wait each for a child of its own by waitpid, wait4 or waitid while others talk over pipes;
// each gets its child's status.
#include "io.h"

enum { CHILDREN = 10 };

static int go[CHILDREN][2];
static pid_t child[CHILDREN];

static void *waiter(void *argument)
{
    int self = (int)(intptr_t)argument, status;
    siginfo_t info;
    blocks_next();
    switch (self % 3) {
    case 0:
        CHECK(waitpid(child[self], &status, 0) == child[self]);
        CHECK(WIFEXITED(status));
        return (void *)(intptr_t)WEXITSTATUS(status);
    case 1:
        CHECK(wait4(child[self], &status, 0, NULL) == child[self]);
        CHECK(WIFEXITED(status));
        return (void *)(intptr_t)WEXITSTATUS(status);
    default:
        CHECK(waitid(P_PID, (id_t)child[self], &info, WEXITED) == 0 && info.si_code == CLD_EXITED);
        return (void *)(intptr_t)info.si_status;
    }
}

int main(void)
{
    pthread_t thread[CHILDREN];
    become_threaded();
    for (int i = 0; i < CHILDREN; i++) {
        char byte;
        CHECK(pipe(go[i]) == 0);
        child[i] = fork();
        CHECK(child[i] >= 0);
        if (child[i] == 0)
            _exit(read(go[i][0], &byte, 1) == 1 ? 10 + i : 1);
    }
    for (int i = 0; i < CHILDREN; i++)
        thread[i] = guest_start(waiter, (void *)(intptr_t)i);
    wait_blocked(CHILDREN);
    CHECK(waitpid(child[3], NULL, WNOHANG) == 0);
    for (int i = CHILDREN - 1; i >= 0; i--)
        CHECK(write(go[i][1], "x", 1) == 1);
    for (int i = 0; i < CHILDREN; i++)
        printf("%ld ", (long)(intptr_t)guest_join(thread[i]));
    puts("");
    CHECK_FAILS(waitpid(-1, NULL, 0), ECHILD);
    return guest_success();
}
