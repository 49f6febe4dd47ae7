// SPDX-License-Identifier: MIT
// Claims: threads that posix_spawn children, with file actions, and wait for them by waitpid or waitid get
// their own children's status.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include "guest.h"

#define THREADS 8

extern char **environ;

static void *body(void *index)
{
    int me = (int)(intptr_t)index, ends[2], status;
    char script[64], text[64] = "";
    char *arguments[] = {"sh", "-c", script, NULL};
    posix_spawn_file_actions_t actions;
    siginfo_t info;
    pid_t pid;

    CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    snprintf(script, sizeof(script), "echo child %d; exit %d", me, me + 20);
    CHECK_EQUAL(posix_spawn_file_actions_init(&actions), 0);
    CHECK_EQUAL(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), 0);
    CHECK_EQUAL(posix_spawn(&pid, "/bin/sh", &actions, NULL, arguments, environ), 0);
    CHECK_EQUAL(close(ends[1]), 0);
    FILE *output = fdopen(ends[0], "r");
    CHECK(output != NULL && fgets(text, sizeof(text), output) != NULL);
    CHECK_EQUAL(atoi(text + strlen("child ")), me);
    CHECK(fgets(text, sizeof(text), output) == NULL);
    CHECK_EQUAL(fclose(output), 0);

    if (me % 2 == 0) {
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, (me + 20) << 8);
    } else {
        CHECK_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
        CHECK_EQUAL(info.si_code, CLD_EXITED);
        CHECK_EQUAL(info.si_status, me + 20);
    }
    CHECK_EQUAL(posix_spawnp(&pid, "no-such-command-here", NULL, NULL, arguments, environ), ENOENT);
    CHECK_EQUAL(posix_spawn_file_actions_destroy(&actions), 0);
    return (void *)1;
}

int main(void)
{
    printf("done: %ld\n", (long)guest_threads(THREADS, body));
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    return guest_success();
}
