// SPDX-License-Identifier: MIT
// Claims: a process that a thread makes, in whatever way, and the program that it executes are scheduled as
// the thread was, not as others of its process are; or anew, when the thread wanted that.
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "guest.h"

extern char **environ;
static const char *program;

static void show(const char *who)
{
    cpu_set_t set;
    CHECK_EQUAL(sched_getaffinity(0, sizeof set, &set), 0);
    printf("%s: policy %x, nice %d, %d CPU\n", who, (unsigned)sched_getscheduler(0),
           getpriority(PRIO_PROCESS, 0), CPU_COUNT(&set));
    fflush(stdout);
}

static void ends_well(pid_t child)
{
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
}

static void make_children(void)
{
    char command[4096];
    char *arguments[] = {(char *)program, "posix_spawn", NULL};
    pid_t child = fork();
    if (child == 0) {
        show("fork");
        execl(program, program, "fork, exec", NULL);
        _exit(1);
    }
    ends_well(child);
    if ((child = vfork()) == 0) {
        execl(program, program, "vfork, exec", NULL);
        _exit(1);
    }
    ends_well(child);
    CHECK_EQUAL(posix_spawn(&child, program, NULL, NULL, arguments, environ), 0);
    ends_well(child);
    CHECK((size_t)snprintf(command, sizeof command, "'%s' system", program) < sizeof command);
    CHECK_EQUAL(system(command), 0);
    CHECK((size_t)snprintf(command, sizeof command, "'%s' popen", program) < sizeof command);
    FILE *output = popen(command, "r");
    CHECK(output != NULL);
    while (fgets(command, sizeof command, output))
        fputs(command, stdout);
    CHECK_EQUAL(pclose(output), 0);
}

static void *as_set(void *argument)
{
    cpu_set_t set, one;
    int cpu = 0;
    CHECK_EQUAL(sched_getaffinity(0, sizeof set, &set), 0);
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK_EQUAL(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_EQUAL(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0}), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, gettid(), 7), 0);
    make_children();
    show("the thread");
    return argument;
}

static void *anew(void *argument)
{
    struct sched_param first = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &first) != 0)
        CHECK_EQUAL(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &(struct sched_param){0}), 0);
    make_children();
    show("the thread");
    return argument;
}

int main(int count, char **arguments)
{
    if (count > 1) {
        show(arguments[1]);
        return 0;
    }
    program = arguments[0];
    guest_join(guest_start(as_set, NULL));
    guest_join(guest_start(anew, NULL));
    show("main");
    return guest_success();
}
