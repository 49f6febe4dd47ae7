// SPDX-License-Identifier: MIT
// A child process that does what one-letter commands say: another process holds what the threads wait for.
#ifndef GUEST_STUCK_HELPER_H
#define GUEST_STUCK_HELPER_H

#include "stuck.h"

static int helper_commands[2], helper_answers[2];
static pid_t helper;

// Before the first thread is created.
static inline void helper_start(void (*obey)(char command))
{
    char command;
    CHECK(pipe(helper_commands) == 0 && pipe(helper_answers) == 0);
    helper = fork();
    CHECK(helper >= 0);
    if (helper > 0)
        return;
    close(helper_commands[1]);
    while (read(helper_commands[0], &command, 1) == 1) {
        obey(command);
        CHECK_EQUAL(write(helper_answers[1], &command, 1), 1);
    }
    _exit(0);
}

// Returns when the command was obeyed.
static inline void helper_tell(char command)
{
    char answer;
    CHECK_EQUAL(write(helper_commands[1], &command, 1), 1);
    CHECK(read(helper_answers[0], &answer, 1) == 1 && answer == command);
}

static inline void helper_end(void)
{
    int status;
    close(helper_commands[1]);
    CHECK_EQUAL(waitpid(helper, &status, 0), helper);
    CHECK_EQUAL(status, 0);
}

#endif
