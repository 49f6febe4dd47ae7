// SPDX-License-Identifier: MIT
// For programs of this claim: what the kernel keeps for each thread (the user id for files, capabilities, a
// seccomp filter, ...) stays with the thread that set it and comes to no other, whatever the threads do
// between setting it and looking.
//
// wander() is that: waits of every kind and some computing. In some of the waits the answer comes from a
// clerk, a thread without any such state. tally_* count the looks that showed something else than expected.
// A fault in the machinery itself ends the program at once, with guest.h's checks.
#ifndef GUEST_BOUND_H
#define GUEST_BOUND_H

#include "guest.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

enum { WANDER_CLERKS = 2 }; // of each kind

static struct {
    pthread_mutex_t lock;
    pthread_cond_t asked, answered;
    long questions, answers;
    int letters[2]; // a pipe of descriptors on which an answer is wanted
} wander_desk;

static inline void *wander_clerk_of_condition(void *unused)
{
    CHECK_EQUAL(pthread_mutex_lock(&wander_desk.lock), 0);
    for (;;) {
        while (wander_desk.answers == wander_desk.questions)
            CHECK_EQUAL(pthread_cond_wait(&wander_desk.asked, &wander_desk.lock), 0);
        wander_desk.answers = wander_desk.questions;
        CHECK_EQUAL(pthread_cond_broadcast(&wander_desk.answered), 0);
    }
    return unused;
}

static inline void *wander_clerk_of_pipe(void *unused)
{
    int fd;
    while (read(wander_desk.letters[0], &fd, sizeof fd) == sizeof fd)
        CHECK_EQUAL(write(fd, "w", 1), 1);
    CHECK(!"the desk is closed");
    return unused;
}

// Starts the clerks, who stay until the process ends. By main before anything else, and by a child process
// that is to wander.
static inline void wander_begin(void)
{
    pthread_t clerk;
    CHECK_EQUAL(pthread_mutex_init(&wander_desk.lock, NULL), 0);
    CHECK_EQUAL(pthread_cond_init(&wander_desk.asked, NULL), 0);
    CHECK_EQUAL(pthread_cond_init(&wander_desk.answered, NULL), 0);
    wander_desk.questions = wander_desk.answers = 0;
    CHECK_EQUAL(pipe2(wander_desk.letters, O_CLOEXEC), 0);
    for (int i = 0; i < 2 * WANDER_CLERKS; i++) {
        clerk = guest_start(i % 2 ? wander_clerk_of_condition : wander_clerk_of_pipe, NULL);
        CHECK_EQUAL(pthread_detach(clerk), 0);
    }
}

static inline void wander_ask(void)
{
    CHECK_EQUAL(pthread_mutex_lock(&wander_desk.lock), 0);
    long mine = ++wander_desk.questions;
    CHECK_EQUAL(pthread_cond_signal(&wander_desk.asked), 0);
    while (wander_desk.answers < mine)
        CHECK_EQUAL(pthread_cond_wait(&wander_desk.answered, &wander_desk.lock), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&wander_desk.lock), 0);
}

static inline void wander_write(bool polls)
{
    int ends[2];
    char byte = 0;
    CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    CHECK_EQUAL(write(wander_desk.letters[1], &ends[1], sizeof ends[1]), sizeof ends[1]);
    if (polls) {
        struct pollfd wanted = {.fd = ends[0], .events = POLLIN};
        while (poll(&wanted, 1, -1) < 0)
            CHECK_EQUAL(errno, EINTR);
        CHECK_EQUAL(wanted.revents, POLLIN);
    }
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    CHECK_EQUAL(byte, 'w');
    CHECK_EQUAL(close(ends[0]), 0);
    CHECK_EQUAL(close(ends[1]), 0);
}

// For longer than a thread may have a processor for itself.
static inline void wander_compute(void)
{
    volatile double value = 1;
    for (int64_t end = guest_now(CLOCK_MONOTONIC) + 20 * GUEST_MILLISECOND; guest_now(CLOCK_MONOTONIC) < end;)
        for (int i = 0; i < 1000; i++)
            value = value * 1.0001;
}

// So many waits. Handlers of signals that come meanwhile are to have SA_RESTART.
static inline void wander(int waits)
{
    enum way { YIELD, ASK, READ, POLL, NAP, COMPUTE };
    static const enum way ways[] = {YIELD, ASK, READ, YIELD, NAP,   ASK, POLL,   READ,
                                    ASK,   NAP, READ, POLL,  YIELD, ASK, COMPUTE};
    enum { WAYS = sizeof ways / sizeof *ways };
    static atomic_uint wanderers;
    static __thread unsigned turn;
    const struct timespec millisecond = {.tv_nsec = GUEST_MILLISECOND};
    if (turn == 0)
        turn = WAYS + 4 * atomic_fetch_add(&wanderers, 1) % WAYS; // each begins at another place
    for (; waits > 0; waits--, turn++) {
        switch (ways[turn % WAYS]) {
        case YIELD:
            sched_yield();
            break;
        case ASK:
            wander_ask();
            break;
        case READ:
            wander_write(false);
            break;
        case POLL:
            wander_write(true);
            break;
        case NAP:
            nanosleep(&millisecond, NULL);
            break;
        case COMPUTE:
            wander_compute();
            break;
        }
    }
}

// A thread's looks. One owner at a time.
struct tally {
    int checks, failed;
    const char *first; // that failed
    int line, error;
};

static int tally_failures; // printed; main's

#define TALLY(tally, condition) tally_count((tally), (condition), #condition, __LINE__)

static inline void tally_count(struct tally *tally, bool right, const char *what, int line)
{
    int error = errno;
    tally->checks++;
    if (!right && tally->failed++ == 0) {
        tally->first = what;
        tally->line = line;
        tally->error = error;
    }
}

static inline void tally_add(struct tally *sum, const struct tally *part)
{
    if (part->failed > 0 && sum->failed == 0) {
        sum->first = part->first;
        sum->line = part->line;
        sum->error = part->error;
    }
    sum->checks += part->checks;
    sum->failed += part->failed;
}

// By one thread only.
static inline void tally_print(const char *whose, const struct tally *tally)
{
    printf("%s: %d of %d checks failed\n", whose, tally->failed, tally->checks);
    if (tally->failed > 0)
        printf("    the first in line %d: %s (errno %d)\n", tally->line, tally->first, tally->error);
    tally_failures += tally->failed;
}

// For the end of main: `return tally_success();`
static inline int tally_success(void)
{
    fflush(stdout);
    CHECK_EQUAL(tally_failures, 0);
    return guest_success();
}

// 0, or the error of opening it for reading.
static inline int open_error(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    CHECK_EQUAL(close(fd), 0);
    return 0;
}

static inline void file_make(const char *path, const char *text, uid_t owner, gid_t group, mode_t mode)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQUAL(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQUAL(fchown(fd, owner, group), 0);
    CHECK_EQUAL(fchmod(fd, mode), 0);
    CHECK_EQUAL(close(fd), 0);
}

#endif
