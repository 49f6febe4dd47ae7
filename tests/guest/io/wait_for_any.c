// SPDX-License-Identifier: MIT
// A thread waits for any child by wait and waitpid(-1) while children end one by one, in the order that
// another thread chooses; at last ECHILD.
#include "io.h"

enum { CHILDREN = 6 };

static int go[CHILDREN][2];

static void *waiter(void *unused)
{
    int status;
    for (int i = 0; i < CHILDREN; i++) {
        blocks_next();
        CHECK((i % 2 ? wait(&status) : waitpid(-1, &status, 0)) > 0);
        CHECK(WIFEXITED(status));
        printf("%d\n", WEXITSTATUS(status));
    }
    CHECK_FAILS(wait(&status), ECHILD);
    CHECK_FAILS(waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED), ECHILD);
    return unused;
}

int main(void)
{
    become_threaded();
    for (int i = 0; i < CHILDREN; i++) {
        char byte;
        CHECK(pipe(go[i]) == 0);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            _exit(read(go[i][0], &byte, 1) == 1 ? 10 + i : 1);
    }
    pthread_t thread = guest_start(waiter, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        wait_blocked(i + 1);
        CHECK(write(go[(i * 5 + 2) % CHILDREN][1], "x", 1) == 1);
    }
    guest_join(thread);
    return guest_success();
}
