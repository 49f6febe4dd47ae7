// SPDX-License-Identifier: MIT
// Claims: several threads fork and wait at the same time; each gets its own children's status and nobody
// else's.
#include <sys/wait.h>
#include "guest.h"

#define THREADS 6
#define FORKS   5

static void *body(void *index)
{
    int status;
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit((int)(intptr_t)index * FORKS + i);
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, ((intptr_t)index * FORKS + i) << 8);
    }
    return (void *)FORKS;
}

int main(void)
{
    intptr_t children = guest_threads(THREADS, body);
    printf("children: %ld\n", (long)children);
    CHECK(wait(NULL) == -1 && errno == ECHILD);
    return guest_success();
}
