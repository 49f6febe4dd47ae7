// SPDX-License-Identifier: MIT
// Claims: what the process has been given before its first thread, a policy, a nice value, CPUs, is what its
// threads and theirs inherit and say of themselves; with SCHED_RESET_ON_FORK they get none of it, and main
// keeps it. Each in a process of its own. (Skipped without the privilege for real-time policies.)
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "guest.h"

struct setting {
    int policy, priority, nice, cpus;
};

static void has(struct setting setting)
{
    struct sched_param parameters;
    struct timespec slice;
    cpu_set_t cpus;
    int policy;
    CHECK_EQUAL(pthread_getaffinity_np(pthread_self(), sizeof cpus, &cpus), 0);
    CHECK_EQUAL(pthread_getschedparam(pthread_self(), &policy, &parameters), 0);
    printf("%d %d\n", policy,
           parameters.sched_priority); // glibc's own idea, sometimes another than the kernel's
    CHECK_EQUAL(sched_getscheduler(0), setting.policy);
    CHECK_EQUAL(sched_getscheduler(gettid()), setting.policy);
    CHECK_EQUAL(sched_getparam(0, &parameters), 0);
    CHECK_EQUAL(parameters.sched_priority, setting.priority);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), setting.nice);
    CHECK_EQUAL(CPU_COUNT(&cpus), setting.cpus);
    CHECK_EQUAL(sched_rr_get_interval(0, &slice), 0);
    if ((setting.policy & ~SCHED_RESET_ON_FORK) == SCHED_RR)
        CHECK(slice.tv_sec > 0 || slice.tv_nsec > 0);
}

static void *grandchild(void *setting)
{
    has(*(struct setting *)setting);
    return NULL;
}

static void *child(void *setting)
{
    has(*(struct setting *)setting);
    guest_join(guest_start(grandchild, setting));
    has(*(struct setting *)setting);
    return NULL;
}

static void in_process(struct setting mine, struct setting theirs)
{
    pid_t process = fork();
    if (process == 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET(sched_getcpu(), &cpus);
        if (mine.cpus == 1)
            CHECK_EQUAL(sched_setaffinity(0, sizeof cpus, &cpus), 0);
        CHECK_EQUAL(setpriority(PRIO_PROCESS, 0, mine.nice), 0);
        CHECK_EQUAL(sched_setscheduler(0, mine.policy, &(struct sched_param){mine.priority}), 0);
        has(mine);
        guest_join(guest_start(child, &theirs));
        has(mine);
        CHECK_EQUAL(fflush(stdout), 0);
        _exit(0);
    }
    int status;
    CHECK_EQUAL(waitpid(process, &status, 0), process);
    CHECK_EQUAL(status, 0);
}

static void *nothing(void *argument)
{
    return argument;
}

int main(void)
{
    cpu_set_t cpus;
    CHECK_EQUAL(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    int all = CPU_COUNT(&cpus), nice = getpriority(PRIO_PROCESS, 0);
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){5}) != 0) {
        puts("not permitted to use real-time policies");
        return 77;
    }
    CHECK_EQUAL(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0}), 0);
    const struct setting normal = {SCHED_OTHER, 0, nice, all}, fifo = {SCHED_FIFO, 5, nice, all},
                         nicer = {SCHED_OTHER, 0, 7, 1}, robin = {SCHED_RR, 3, nice, 1},
                         batch = {SCHED_BATCH, 0, 11, all},
                         reset = {SCHED_RR | SCHED_RESET_ON_FORK, 3, nice, all};
    in_process(fifo, fifo);
    in_process(nicer, nicer);
    in_process(robin, robin);
    in_process(batch, batch);
    in_process(reset, normal);
    guest_join(guest_start(nothing, NULL));
    return guest_success();
}
