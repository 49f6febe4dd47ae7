// SPDX-License-Identifier: MIT
// Child processes that want SIGTERM when their parent dies, which for the kernel is the thread that made
// them. They are forked, or are this program again, executed after vfork() or by posix_spawn(). They do what
// one-letter commands say:
//   a  answers 'a', or 'x' when it does not want the signal any more
//   q  ends
#ifndef GUEST_BOUND_ORPHAN_H
#define GUEST_BOUND_ORPHAN_H

#include "bound.h"

#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>

enum orphan_kind { ORPHAN_FORKED, ORPHAN_AFTER_VFORK, ORPHAN_SPAWNED, ORPHAN_KINDS };
static const char *const orphan_kinds[ORPHAN_KINDS] = {"forked", "vfork and exec", "posix_spawn"};

enum { ORPHAN_STATUS = 7 };

struct orphan {
    pid_t pid;
    int commands, answers;
};

__attribute__((noreturn)) static inline void orphan_live(int commands, int answers)
{
    char command = 'a';
    int signal = 0;
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0)
        _exit(1);
    do {
        if (command == 'q')
            _exit(ORPHAN_STATUS);
        if (prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) != 0 || signal != SIGTERM)
            command = 'x';
        if (write(answers, &command, 1) != 1)
            _exit(2);
    } while (read(commands, &command, 1) == 1);
    _exit(3);
}

// For the beginning of main: what was executed is a child.
static inline void orphan_main(int argc, char **argv)
{
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    if (argc == 4 && strcmp(argv[1], "child") == 0)
        orphan_live(atoi(argv[2]), atoi(argv[3]));
}

// '?' when there is none for long. A pipe of a child that is gone may be open in others.
static inline char orphan_answer(const struct orphan *orphan)
{
    struct pollfd wanted = {.fd = orphan->answers, .events = POLLIN};
    char answer;
    if (poll(&wanted, 1, 10000) == 1 && read(orphan->answers, &answer, 1) == 1)
        return answer;
    return '?';
}

static inline char orphan_ask(const struct orphan *orphan)
{
    return write(orphan->commands, "a", 1) == 1 ? orphan_answer(orphan) : '!';
}

// The status with which it ends, or -1 when it does not for long; it is ended then. After one such the
// program has failed and is not patient any more. By one thread at a time.
static inline int orphan_status(const struct orphan *orphan)
{
    static int64_t patience = 10 * GUEST_SECOND;
    int status;
    for (int64_t last = guest_now(CLOCK_MONOTONIC) + patience;;) {
        pid_t ended = waitpid(orphan->pid, &status, WNOHANG);
        if (ended == orphan->pid)
            return status;
        if (ended < 0 || guest_now(CLOCK_MONOTONIC) > last)
            break;
        usleep(1000);
    }
    patience = GUEST_SECOND / 10;
    kill(orphan->pid, SIGKILL);
    waitpid(orphan->pid, &status, 0);
    return -1;
}

static inline pid_t orphan_execute(enum orphan_kind kind, int commands, int answers)
{
    extern char **environ;
    char program[] = "/proc/self/exe", word[] = "child", numbers[2][16];
    char *arguments[] = {program, word, numbers[0], numbers[1], NULL};
    pid_t pid;
    snprintf(numbers[0], sizeof numbers[0], "%d", commands);
    snprintf(numbers[1], sizeof numbers[1], "%d", answers);
    if (kind == ORPHAN_SPAWNED) {
        CHECK_EQUAL(posix_spawn(&pid, program, NULL, NULL, arguments, environ), 0);
        return pid;
    }
    pid = vfork();
    if (pid == 0) {
        execv(program, arguments);
        _exit(127);
    }
    return pid;
}

// Returns when the child wants the signal. Other children may have inherited the pipes.
static inline struct orphan orphan_make(enum orphan_kind kind)
{
    struct orphan orphan;
    int commands[2], answers[2];
    CHECK_EQUAL(pipe(commands), 0);
    CHECK_EQUAL(pipe(answers), 0);
    if (kind == ORPHAN_FORKED) {
        orphan.pid = fork();
        if (orphan.pid == 0)
            orphan_live(commands[0], answers[1]);
    } else {
        orphan.pid = orphan_execute(kind, commands[0], answers[1]);
    }
    CHECK(orphan.pid > 0);
    CHECK_EQUAL(close(commands[0]), 0);
    orphan.commands = commands[1];
    orphan.answers = answers[0];
    CHECK_EQUAL(orphan_answer(&orphan), 'a');
    CHECK_EQUAL(close(answers[1]), 0);
    return orphan;
}

static inline void orphan_close(const struct orphan *orphan)
{
    CHECK_EQUAL(close(orphan->commands), 0);
    CHECK_EQUAL(close(orphan->answers), 0);
}

#endif
