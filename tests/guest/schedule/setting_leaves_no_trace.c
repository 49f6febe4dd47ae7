// SPDX-License-Identifier: MIT
// Claims: of a thread that has ended nothing remains that the kernel schedules as the thread wanted it: all
// kernel threads of the process have what main has.
#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include "guest.h"

// The fields of /proc/self/task/TID/stat that say how it is scheduled: nice value, real-time priority,
// policy.
struct schedule {
    long nice, priority, policy;
};

static void *real_time(void *argument)
{
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) != 0)
        CHECK_EQUAL(errno, EPERM);
    return argument;
}

static void *idle(void *argument)
{
    CHECK_EQUAL(sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}), 0);
    return argument;
}

static void *nice_to_others(void *argument)
{
    CHECK_EQUAL(setpriority(PRIO_PROCESS, gettid(), 7), 0);
    return argument;
}

// False when the thread is gone.
static bool read_schedule(const char *tid, struct schedule *schedule)
{
    char path[64], line[1024];
    CHECK((size_t)snprintf(path, sizeof path, "/proc/self/task/%s/stat", tid) < sizeof path);
    FILE *file = fopen(path, "r");
    bool there = file && fgets(line, sizeof line, file);
    if (file)
        fclose(file);
    if (!there)
        return false;
    const char *field = strrchr(line, ')') + 1; // in front of the third
    for (int number = 3; number <= 41; number++) {
        field += strspn(field, " ");
        long value = strtol(field, NULL, 10);
        if (number == 19)
            schedule->nice = value;
        else if (number == 40)
            schedule->priority = value;
        else if (number == 41)
            schedule->policy = value;
        field += strcspn(field, " ");
    }
    return true;
}

static bool all_as_main(void)
{
    char pid[32];
    struct schedule main, other;
    snprintf(pid, sizeof pid, "%d", getpid());
    CHECK(read_schedule(pid, &main));
    DIR *directory = opendir("/proc/self/task");
    CHECK(directory != NULL);
    bool all = true;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && read_schedule(entry->d_name, &other))
            all &= other.nice == main.nice && other.priority == main.priority && other.policy == main.policy;
    CHECK_EQUAL(closedir(directory), 0);
    return all;
}

int main(void)
{
    void *(*const wanted[])(void *) = {real_time, idle, nice_to_others};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        guest_join(guest_start(wanted[i], NULL));
        for (int64_t end = guest_now(CLOCK_MONOTONIC) + 10 * GUEST_SECOND; !all_as_main();) {
            CHECK(guest_now(CLOCK_MONOTONIC) < end); // a joined thread may still be on its way out
            usleep(1000);
        }
    }
    return guest_success();
}
