// SPDX-License-Identifier: MIT
// Claims: what a thread may set depends on the ids that the process has now: after a setuid, real-time
// policies are refused, and nice values and SCHED_IDLE have no way back, in each thread for itself. (Skipped
// when not root.)
#include <sched.h>
#include <sys/resource.h>
#include "guest.h"

static const struct sched_param none = {0}, five = {.sched_priority = 5};

static void *ends(void *argument)
{
    return argument;
}

static void *goes_down(void *argument)
{
    CHECK(sched_setscheduler(0, SCHED_FIFO, &five) == -1 && errno == EPERM);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, 0, 5), 0);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 5);
    CHECK(setpriority(PRIO_PROCESS, 0, 4) == -1 && errno == EACCES);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 5);
    CHECK_EQUAL(sched_setscheduler(0, SCHED_IDLE, &none), 0);
    CHECK(sched_setscheduler(0, SCHED_OTHER, &none) == -1 && errno == EPERM);
    CHECK_EQUAL(sched_getscheduler(0), SCHED_IDLE);
    return argument;
}

int main(void)
{
    const struct rlimit zero = {0, 0};
    if (geteuid() != 0 || sched_setscheduler(0, SCHED_FIFO, &five) != 0) {
        puts("not permitted to use real-time policies");
        return 77;
    }
    CHECK_EQUAL(sched_setscheduler(0, SCHED_OTHER, &none), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, 0, 0), 0);
    CHECK(setrlimit(RLIMIT_RTPRIO, &zero) == 0 && setrlimit(RLIMIT_NICE, &zero) == 0);
    guest_join(guest_start(ends, NULL));
    CHECK_EQUAL(sched_setscheduler(0, SCHED_FIFO, &five), 0);
    CHECK_EQUAL(sched_setscheduler(0, SCHED_OTHER, &none), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, 0, -5), 0);
    CHECK_EQUAL(setpriority(PRIO_PROCESS, 0, 0), 0);
    CHECK_EQUAL(setresuid(65534, 65534, 65534), 0);
    CHECK(sched_setscheduler(0, SCHED_FIFO, &five) == -1 && errno == EPERM);
    for (int i = 0; i < 3; i++)
        guest_join(guest_start(goes_down, NULL));
    CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
    CHECK_EQUAL(getpriority(PRIO_PROCESS, 0), 0);
    return guest_success();
}
