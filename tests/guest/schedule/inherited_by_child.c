// SPDX-License-Identifier: MIT
// Claims: a process that is forked and the program that it executes are scheduled as the thread that forked
// was, not as others of its process are.
#include <sched.h>
#include <sys/wait.h>
#include "guest.h"

static void show(void)
{
    cpu_set_t set;
    CHECK_EQUAL(sched_getaffinity(0, sizeof set, &set), 0);
    printf("%d: %d CPU\n", sched_getscheduler(0), CPU_COUNT(&set));
    fflush(stdout);
}

static void *forks(void *program)
{
    cpu_set_t set, one;
    int cpu = 0, status;
    CHECK_EQUAL(sched_getaffinity(0, sizeof set, &set), 0);
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK_EQUAL(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_EQUAL(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0}), 0);
    pid_t child = fork();
    if (child == 0) {
        show();
        execl(program, program, "child", NULL);
        _exit(1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    return NULL;
}

int main(int count, char **arguments)
{
    if (count > 1) {
        show();
        return 0;
    }
    guest_join(guest_start(forks, arguments[0]));
    CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
    return guest_success();
}
