// SPDX-License-Identifier: MIT
// Claims: vfork from a thread suspends it until the child has called exec or _exit; its stack and its errno
// are right afterwards, a failed exec is the child's to report, and other threads run on.
#include <sys/wait.h>
#include "guest.h"

#define THREADS 6

__attribute__((noinline)) static pid_t start(const char *path, const char *script)
{
    pid_t pid = vfork();
    if (pid == 0) {
        execl(path, "sh", "-c", script, (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    return pid;
}

static void *body(void *index)
{
    unsigned char canary[256];
    char script[32];
    int status;

    memset(canary, (int)(intptr_t)index, sizeof(canary));
    snprintf(script, sizeof(script), "exit %ld", (long)(intptr_t)index + 50);
    for (int i = 0; i < 3; i++) {
        pid_t pid = start("/bin/sh", script);
        CHECK(pid > 0);
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, ((intptr_t)index + 50) << 8);

        pid = start("no-such-file", script);
        CHECK(pid > 0);
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, 127 << 8);
    }
    for (size_t i = 0; i < sizeof(canary); i++)
        CHECK_EQUAL(canary[i], (intptr_t)index);
    return (void *)1;
}

int main(void)
{
    printf("done: %ld\n", (long)guest_threads(THREADS, body));
    return guest_success();
}
