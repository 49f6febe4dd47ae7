// SPDX-License-Identifier: MIT
// Claims: timers on threads' CPU clocks tell what is left and what was set before, relative and absolute, can
// be disarmed, expire at once when the time is past already, signal the process, a thread or nobody, count
// overruns while their signal is blocked, and are of no use when the thread has ended.
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include "clock.h"

static sem_t asked, done, notified;
static const struct itimerspec unarmed;

static timer_t create(clockid_t clock, int notify, int number, int value)
{
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = number, .sigev_value.sival_int = value};
    timer_t timer;
    CHECK_EQUAL(timer_create(clock, &event, &timer), 0);
    return timer;
}

static struct itimerspec set(timer_t timer, int flags, int64_t value, int64_t interval)
{
    struct itimerspec new = {guest_timespec(interval), guest_timespec(value)}, old;
    memset(&old, 7, sizeof old);
    CHECK_EQUAL(timer_settime(timer, flags, &new, &old), 0);
    return old;
}

static struct itimerspec get(timer_t timer)
{
    struct itimerspec now;
    memset(&now, 7, sizeof now);
    CHECK_EQUAL(timer_gettime(timer, &now), 0);
    return now;
}

static int64_t left(struct itimerspec time)
{
    return time.it_value.tv_sec * GUEST_SECOND + time.it_value.tv_nsec;
}

static void is(struct itimerspec time, int64_t most, time_t interval)
{
    CHECK(left(time) > most - GUEST_SECOND && left(time) <= most);
    CHECK_EQUAL(time.it_interval.tv_sec, interval);
}

static void tells_what_is_set(void)
{
    timer_t timer = create(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 0);
    int64_t now = guest_now(CLOCK_THREAD_CPUTIME_ID);
    CHECK(memcmp(&unarmed, &(struct itimerspec){get(timer).it_interval, get(timer).it_value}, 16) == 0);
    CHECK_EQUAL(left(set(timer, 0, 5 * GUEST_SECOND, GUEST_SECOND)), 0);
    int64_t before = left(get(timer));
    is(get(timer), 5 * GUEST_SECOND, 1);
    burn(2 * GUEST_MILLISECOND);
    CHECK(left(get(timer)) <= before - 2 * GUEST_MILLISECOND);
    is(set(timer, TIMER_ABSTIME, now + 7 * GUEST_SECOND, 0), 5 * GUEST_SECOND, 1);
    is(set(timer, 0, 0, 3 * GUEST_SECOND), 7 * GUEST_SECOND, 0);
    CHECK_EQUAL(left(set(timer, 0, 0, 0)), 0);
    CHECK_EQUAL(get(timer).it_interval.tv_sec, 0);
    CHECK_EQUAL(set(timer, 0, INT64_MAX / GUEST_SECOND * GUEST_SECOND, 0).it_interval.tv_sec, 0);
    CHECK(left(get(timer)) > INT64_MAX / 2);
    struct itimerspec wrong = {{0, 0}, {0, GUEST_SECOND}};
    CHECK(timer_settime(timer, 0, &wrong, NULL) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_settime, (int)(intptr_t)timer, 0, 8, NULL) == -1 && errno == EFAULT);
    CHECK(left(get(timer)) > INT64_MAX / 2);
    CHECK_EQUAL(timer_delete(timer), 0);
    CHECK(timer_settime(timer, 0, &unarmed, NULL) == -1 && errno == EINVAL);
}

static void expires(const sigset_t *set_of_all)
{
    siginfo_t info;
    timer_t timer = create(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, 17);
    int64_t now = guest_now(CLOCK_THREAD_CPUTIME_ID);
    set(timer, TIMER_ABSTIME, now / 2, 0); // the past
    CHECK_EQUAL(sigwaitinfo(set_of_all, &info), SIGUSR1);
    CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 17 && info.si_overrun == 0);
    CHECK_EQUAL(left(get(timer)), 0);
    set(timer, TIMER_ABSTIME, now + 10 * GUEST_MILLISECOND, 0);
    while (sigtimedwait(set_of_all, &info, &(struct timespec){0, 0}) != SIGUSR1)
        compute(100000);
    CHECK(guest_now(CLOCK_THREAD_CPUTIME_ID) >= now + 10 * GUEST_MILLISECOND);
    CHECK_EQUAL(timer_delete(timer), 0);

    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    event._sigev_un._tid = gettid();
    CHECK_EQUAL(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer), 0);
    now = guest_now(CLOCK_THREAD_CPUTIME_ID);
    set(timer, 0, GUEST_MILLISECOND, GUEST_MILLISECOND);
    burn(50 * GUEST_MILLISECOND);
    int count = 0;
    while (count < 50) { // it is not as if each had its own
        if (sigtimedwait(set_of_all, &info, &(struct timespec){0, 0}) == SIGRTMIN) {
            CHECK_EQUAL(timer_getoverrun(timer), info.si_overrun);
            count += 1 + info.si_overrun;
        }
        compute(10000);
    }
    CHECK(guest_now(CLOCK_THREAD_CPUTIME_ID) >= now + count * GUEST_MILLISECOND);
    CHECK_EQUAL(timer_delete(timer), 0);

    timer = create(CLOCK_THREAD_CPUTIME_ID, SIGEV_NONE, 0, 0);
    set(timer, 0, 1000, 0);
    burn(GUEST_MILLISECOND);
    CHECK_EQUAL(left(get(timer)), 0);
    set(timer, 0, 1000, 10 * GUEST_SECOND);
    burn(GUEST_MILLISECOND);
    is(get(timer), 10 * GUEST_SECOND, 10);
    CHECK_EQUAL(timer_delete(timer), 0);
}

static void *other(void *argument)
{
    CHECK_EQUAL(sem_wait(&asked), 0);
    burn(15 * GUEST_MILLISECOND);
    while (sem_trywait(&done) != 0)
        compute(100000);
    return argument;
}

static void notify(union sigval value)
{
    CHECK_EQUAL(value.sival_int, 23);
    CHECK_EQUAL(sem_post(&notified), 0);
}

static void for_another(void)
{
    pthread_t thread = guest_start(other, NULL);
    clockid_t clock = clock_of(thread);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 23};
    timer_t timer;
    event.sigev_notify_function = notify;
    CHECK_EQUAL(timer_create(clock, &event, &timer), 0);
    set(timer, 0, 10 * GUEST_MILLISECOND, 5 * GUEST_MILLISECOND);
    int64_t now = guest_now(clock);
    burn(30 * GUEST_MILLISECOND);
    CHECK(sem_trywait(&notified) == -1);
    CHECK_EQUAL(sem_post(&asked), 0);
    CHECK_EQUAL(sem_wait(&notified), 0);
    CHECK(guest_now(clock) - now >= 9 * GUEST_MILLISECOND);
    CHECK_EQUAL(sem_wait(&notified), 0);
    CHECK_EQUAL(sem_post(&done), 0);
    guest_join(thread);
    struct timespec time;
    while (clock_gettime(clock, &time) == 0)
        sched_yield(); // the kernel wakes who joins before it takes the thread off its list
    CHECK(left(get(timer)) == 0 && get(timer).it_interval.tv_nsec == 0);
    struct itimerspec second = {{0, 0}, {1, 0}};
    CHECK(timer_settime(timer, 0, &second, NULL) == -1 && errno == ESRCH);
    CHECK_EQUAL(timer_delete(timer), 0);
    CHECK(timer_create(clock, &event, &timer) == -1 && errno == EINVAL);
}

int main(void)
{
    sigset_t all;
    CHECK(sem_init(&asked, 0, 0) == 0 && sem_init(&done, 0, 0) == 0 && sem_init(&notified, 0, 0) == 0);
    CHECK_EQUAL(sigemptyset(&all), 0);
    CHECK(sigaddset(&all, SIGUSR1) == 0 && sigaddset(&all, SIGRTMIN) == 0);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &all, NULL), 0);
    for_another();
    tells_what_is_set();
    expires(&all);
    return guest_success();
}
