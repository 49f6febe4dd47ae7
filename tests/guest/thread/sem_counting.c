// SPDX-License-Identifier: MIT
// Claims: a semaphore of N lets N threads in at a time and no more, loses no post, and trywait on zero is
// EAGAIN.
#include <sched.h>
#include <semaphore.h>
#include "guest.h"

#define THREADS 16
#define SLOTS   3
#define ROUNDS  50

static sem_t slots;
static int inside, most;

static void *body(void *index)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(sem_wait(&slots), 0);
        int now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        CHECK(now <= SLOTS);
        if (i == 0) // nobody leaves before the slots are full for once
            while (__atomic_load_n(&most, __ATOMIC_SEQ_CST) < SLOTS) {
                if (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == SLOTS)
                    __atomic_store_n(&most, SLOTS, __ATOMIC_SEQ_CST);
                sched_yield();
            }
        sched_yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        CHECK_EQUAL(sem_post(&slots), 0);
    }
    return index;
}

int main(void)
{
    int value;

    CHECK_EQUAL(sem_init(&slots, 0, SLOTS), 0);
    guest_threads(THREADS, body);
    CHECK_EQUAL(sem_getvalue(&slots, &value), 0);
    printf("most inside: %d, value at the end: %d\n", most, value);
    CHECK_EQUAL(value, SLOTS);
    for (int i = 0; i < SLOTS; i++)
        CHECK_EQUAL(sem_trywait(&slots), 0);
    CHECK_EQUAL(sem_trywait(&slots), -1);
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(sem_destroy(&slots), 0);
    return guest_success();
}
