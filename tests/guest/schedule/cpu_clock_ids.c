// SPDX-License-Identifier: MIT
// Claims: a thread's clock has a resolution, cannot be set, is found by syscall(2) as well, and ends with the
// thread; main's is read by others; a thread cannot sleep on its own clock, but on another's; a bad pointer
// is an error; the child of a fork begins anew.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <semaphore.h>
#include "clock.h"

static sem_t done;

static void *waits(void *argument)
{
    (void)argument;
    CHECK_EQUAL(sem_wait(&done), 0);
    return NULL;
}

static void *reads_main(void *clock)
{
    clockid_t mains = *(clockid_t *)clock;
    int64_t now = guest_now(mains);
    CHECK(now > 0 && guest_now(mains) >= now);
    return NULL;
}

static void *computes(void *argument)
{
    (void)argument;
    while (sem_trywait(&done) != 0)
        compute(100000);
    return NULL;
}

static void in_child(int64_t parents)
{
    int64_t begin = guest_now(CLOCK_THREAD_CPUTIME_ID);
    CHECK(begin < parents);
    burn(2 * GUEST_MILLISECOND);
    CHECK(guest_now(clock_of(pthread_self())) >= begin + 2 * GUEST_MILLISECOND);
    guest_join(guest_start(reads_main, &(clockid_t){clock_of(pthread_self())}));
    _exit(0);
}

int main(void)
{
    struct timespec time;
    CHECK_EQUAL(sem_init(&done, 0, 0), 0);
    pthread_t thread = guest_start(waits, NULL);
    clockid_t clock = clock_of(thread), mine = clock_of(pthread_self());
    CHECK_EQUAL(clock_getres(clock, &time), 0);
    CHECK_EQUAL(time.tv_sec * GUEST_SECOND + time.tv_nsec, 1);
    CHECK_EQUAL(clock_getres(clock, NULL), 0);
    CHECK_EQUAL(syscall(SYS_clock_getres, clock, &time), 0);
    CHECK_EQUAL(syscall(SYS_clock_gettime, clock, &time), 0);
    CHECK(time.tv_sec * GUEST_SECOND + time.tv_nsec <= guest_now(clock));
    CHECK(clock_settime(clock, &time) == -1);
    CHECK(syscall(SYS_clock_gettime, clock, (void *)8) == -1 && errno == EFAULT);
    CHECK_EQUAL(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL), EINVAL);
    CHECK_EQUAL(clock_nanosleep(mine, 0, &time, NULL), EINVAL);
    guest_join(guest_start(reads_main, &mine));
    CHECK_EQUAL(sem_post(&done), 0);
    guest_join(thread);
    while (clock_gettime(clock, &time) == 0)
        sched_yield(); // the kernel wakes who joins before it takes the thread off its list
    CHECK_EQUAL(errno, EINVAL);
    CHECK(clock_getres(clock, &time) == -1 && errno == EINVAL);

    thread = guest_start(computes, NULL);
    clock = clock_of(thread);
    int64_t begin = guest_now(clock);
    struct timespec span = guest_timespec(20 * GUEST_MILLISECOND);
    CHECK_EQUAL(clock_nanosleep(clock, 0, &span, NULL), 0);
    CHECK(guest_now(clock) >= begin + 20 * GUEST_MILLISECOND);
    span = guest_timespec(guest_now(clock) + 10 * GUEST_MILLISECOND);
    CHECK_EQUAL(clock_nanosleep(clock, TIMER_ABSTIME, &span, NULL), 0);
    CHECK(guest_now(clock) >= span.tv_sec * GUEST_SECOND + span.tv_nsec);
    CHECK_EQUAL(sem_post(&done), 0);
    guest_join(thread);

    burn(20 * GUEST_MILLISECOND);
    int64_t used = guest_now(CLOCK_THREAD_CPUTIME_ID);
    pid_t child = fork();
    if (child == 0)
        in_child(used);
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
    return guest_success();
}
