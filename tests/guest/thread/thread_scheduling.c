// SPDX-License-Identifier: MIT
// Claims: scheduling policy, parameters and affinity are per thread: what one thread is given, by itself or
// by another, it keeps, and the others keep theirs.
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

static sem_t changed, looked;

static void *body(void *argument)
{
    cpu_set_t one, *all = (cpu_set_t *)argument, now;
    struct sched_param parameter;
    int policy, cpu = 0;

    CHECK_EQUAL(sched_getaffinity(0, sizeof(now), &now), 0);
    CHECK(CPU_EQUAL(&now, all));
    while (!CPU_ISSET(cpu, all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK_EQUAL(pthread_setaffinity_np(pthread_self(), sizeof(one), &one), 0);
    CHECK_EQUAL(sem_post(&changed), 0);
    CHECK_EQUAL(sem_wait(&looked), 0);
    CHECK_EQUAL(pthread_getaffinity_np(pthread_self(), sizeof(now), &now), 0);
    CHECK(CPU_EQUAL(&now, &one));
    CHECK_EQUAL(pthread_getschedparam(pthread_self(), &policy, &parameter), 0);
    CHECK_EQUAL(policy, SCHED_BATCH);
    CHECK_EQUAL(sched_getscheduler(0), SCHED_BATCH);
    return NULL;
}

int main(void)
{
    cpu_set_t all, now;
    struct sched_param parameter = {.sched_priority = 0};
    int policy;

    CHECK_EQUAL(sem_init(&changed, 0, 0), 0);
    CHECK_EQUAL(sem_init(&looked, 0, 0), 0);
    CHECK_EQUAL(sched_getaffinity(0, sizeof(all), &all), 0);
    pthread_t thread = guest_start(body, &all);
    CHECK_EQUAL(sem_wait(&changed), 0);

    CHECK_EQUAL(pthread_getaffinity_np(thread, sizeof(now), &now), 0);
    CHECK_EQUAL(CPU_COUNT(&now), 1);
    CHECK_EQUAL(sched_getaffinity(0, sizeof(now), &now), 0);
    CHECK(CPU_EQUAL(&now, &all));
    CHECK_EQUAL(pthread_getschedparam(thread, &policy, &parameter), 0);
    CHECK_EQUAL(policy, SCHED_OTHER);
    CHECK_EQUAL(pthread_setschedparam(thread, SCHED_BATCH, &parameter), 0);
    CHECK_EQUAL(pthread_getschedparam(thread, &policy, &parameter), 0);
    CHECK_EQUAL(policy, SCHED_BATCH);
    CHECK_EQUAL(pthread_setschedparam(thread, SCHED_OTHER, &(struct sched_param){.sched_priority = 1}),
                EINVAL);
    CHECK_EQUAL(sched_getscheduler(0), SCHED_OTHER);
    CHECK_EQUAL(sem_post(&looked), 0);
    guest_join(thread);
    return guest_success();
}
