// SPDX-License-Identifier: MIT
// Claims: who is woken and has a higher priority runs before its waker goes on; of several that wait the one
// of the highest priority is woken first, those of equal priority in their order; who lowers its priority
// gives way.
#include <semaphore.h>
#include "priority.h"

static sem_t one, several;

static void *waits_for_one(void *name)
{
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(sem_wait(&one), 0);
        printf("%s was woken\n", (const char *)name);
    }
    return NULL;
}

static void *waits_among_several(void *name)
{
    CHECK_EQUAL(sem_wait(&several), 0);
    printf("%s has its turn\n", (const char *)name);
    CHECK_EQUAL(sem_post(&several), 0);
    return NULL;
}

static void *runs(void *name)
{
    puts((const char *)name);
    return NULL;
}

int main(void)
{
    static const int priorities[] = {10, 30, 20, 0, 30};
    static const char *const names[] = {"10", "first 30", "20", "other", "second 30"};
    pthread_t threads[5];
    CHECK(sem_init(&one, 0, 0) == 0 && sem_init(&several, 0, 0) == 0);
    on_one_cpu(5);
    pthread_t thread = start_with(SCHED_FIFO, 10, waits_for_one, (void *)"10");
    for (int i = 0; i < 3; i++) {
        puts("main wakes");
        CHECK_EQUAL(sem_post(&one), 0);
        puts("main goes on");
    }
    guest_join(thread);

    for (int i = 0; i < 5; i++)
        threads[i] = start_with(priorities[i] ? SCHED_FIFO : SCHED_OTHER, priorities[i], waits_among_several,
                                (void *)names[i]);
    CHECK_EQUAL(usleep(20000), 0); // the one without a priority comes to wait, too
    CHECK_EQUAL(sem_post(&several), 0);
    for (int i = 0; i < 5; i++)
        guest_join(threads[i]);

    CHECK_EQUAL(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 20}), 0);
    thread = start_with(SCHED_FIFO, 10, runs, (void *)"10 runs");
    puts("main lowers its priority");
    CHECK_EQUAL(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 5}), 0);
    puts("main goes on");
    guest_join(thread);
    puts("main raises that of another");
    CHECK_EQUAL(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 20}), 0);
    thread = start_with(SCHED_FIFO, 10, runs, (void *)"30 runs");
    CHECK_EQUAL(pthread_setschedprio(thread, 30), 0);
    puts("main goes on");
    guest_join(thread);
    return guest_success();
}
