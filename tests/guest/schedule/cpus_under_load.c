// SPDX-License-Identifier: MIT
// Claims: while threads are busy with connections to processes that need more of the CPUs than they, threads
// may run on the CPUs that the process began with, and so may its children, whichever way they are made, and
// programs that these become.
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../inline_syscall.h"
#include "../io/io.h"

enum { PAIRS = 16, SECONDS = 4, PAUSE = 1000 /* us */, STEPS = 40000 };

static atomic_bool enough;
static cpu_set_t all;
static char own_path[4096];

static int same(void)
{
    cpu_set_t now;
    CHECK(sched_getaffinity(0, sizeof now, &now) == 0);
    return CPU_EQUAL(&now, &all);
}

// A process, made before there are threads.
static pid_t answers(int fd)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    for (int other = 3; other < 64; other++)
        if (other != fd)
            close(other);
    for (char byte; read(fd, &byte, 1) == 1;) {
        for (volatile int step = 0; step < STEPS; step++)
            ;
        if (write(fd, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

static void *ask(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char byte = 'a';
    while (!atomic_load(&enough)) {
        CHECK(write(fd, &byte, 1) == 1);
        CHECK(read(fd, &byte, 1) == 1);
    }
    close(fd);
    return argument;
}

static int status_of(pid_t child)
{
    int status;
    CHECK(child > 0);
    while (waitpid(child, &status, 0) < 0)
        CHECK(errno == EINTR);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// The program again, which exits with the number of CPUs that it may run on.
static pid_t spawned(void)
{
    extern char **environ;
    char *arguments[] = {own_path, "count", NULL};
    pid_t child;
    CHECK(posix_spawn(&child, own_path, NULL, NULL, arguments, environ) == 0);
    return child;
}

static pid_t vforked(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl(own_path, own_path, "count", (char *)NULL);
        _exit(127);
    }
    return child;
}

// What the kernel itself says, too.
static pid_t forked(void)
{
    pid_t child = fork();
    if (child == 0) {
        cpu_set_t now;
        memset(&now, 0, sizeof now);
        CHECK(inline_syscall(SYS_sched_getaffinity, 0, sizeof now, (long)&now, 0) > 0);
        _exit(CPU_EQUAL(&now, &all) && same());
    }
    return child;
}

int main(int count, char **arguments)
{
    pthread_t threads[PAIRS];
    pid_t peers[PAIRS];
    int ends[PAIRS][2];
    int cpus;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    cpus = CPU_COUNT(&all);
    if (count > 1)
        return cpus & 127;
    ssize_t length = readlink("/proc/self/exe", own_path, sizeof own_path - 1);
    CHECK(length > 0);
    for (int i = 0; i < PAIRS; i++) {
        tcp_pair(ends[i]);
        peers[i] = answers(ends[i][0]);
        CHECK(peers[i] > 0 && close(ends[i][0]) == 0);
    }
    for (int i = 0; i < PAIRS; i++)
        threads[i] = guest_start(ask, (void *)(intptr_t)ends[i][1]);
    (void)arguments;
    int64_t end = guest_now(CLOCK_MONOTONIC) + SECONDS * GUEST_SECOND;
    while (guest_now(CLOCK_MONOTONIC) < end) {
        cpu_set_t others;
        CHECK_EQUAL(status_of(forked()), 1);
        usleep(PAUSE);
        CHECK_EQUAL(status_of(spawned()), cpus & 127);
        usleep(PAUSE);
        CHECK_EQUAL(status_of(vforked()), cpus & 127);
        usleep(PAUSE);
        CHECK(pthread_getaffinity_np(threads[0], sizeof others, &others) == 0 && CPU_EQUAL(&others, &all));
        usleep(PAUSE);
        CHECK(same());
        usleep(PAUSE);
    }
    atomic_store(&enough, 1);
    for (int i = 0; i < PAIRS; i++)
        guest_join(threads[i]);
    for (int i = 0; i < PAIRS; i++)
        CHECK_EQUAL(status_of(peers[i]), 0);
    return guest_success();
}
