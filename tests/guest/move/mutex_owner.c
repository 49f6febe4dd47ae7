// SPDX-License-Identifier: MIT
// Mutexes that know their owner know it after stops: a recursive one is taken again, an error-checking one
// refuses its owner (EDEADLK) and others (EPERM), and rwlocks know their writer.
#include "move.h"

static pthread_mutex_t recursive, checking, other;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long counts[3]; // protected by recursive, checking and rwlock

static void initialise(pthread_mutex_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    CHECK_EQUAL(pthread_mutexattr_init(&attributes), 0);
    CHECK_EQUAL(pthread_mutexattr_settype(&attributes, type), 0);
    CHECK_EQUAL(pthread_mutex_init(mutex, &attributes), 0);
}

static void *body(void *index)
{
    struct mover mover = mover_begin((int)(intptr_t)index);
    pthread_t self = pthread_self();
    for (int i = 0; i < MOVE_ROUNDS / 3; i++) {
        CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
        long count = counts[0];
        move(&mover);
        CHECK_EQUAL(pthread_mutex_lock(&recursive), 0);
        move(&mover);
        CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);
        counts[0] = count + 1;
        CHECK_EQUAL(pthread_mutex_unlock(&recursive), 0);

        CHECK_EQUAL(pthread_mutex_lock(&checking), 0);
        count = counts[1];
        move(&mover);
        CHECK_EQUAL(pthread_mutex_lock(&checking), EDEADLK);
        CHECK_EQUAL(pthread_mutex_unlock(&other), EPERM); // main holds it
        counts[1] = count + 1;
        CHECK_EQUAL(pthread_mutex_unlock(&checking), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&checking), EPERM);

        CHECK_EQUAL(pthread_rwlock_wrlock(&rwlock), 0);
        count = counts[2];
        move(&mover);
        CHECK_EQUAL(pthread_rwlock_wrlock(&rwlock), EDEADLK);
        counts[2] = count + 1;
        CHECK_EQUAL(pthread_rwlock_unlock(&rwlock), 0);
        CHECK(pthread_equal(self, pthread_self()));
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    initialise(&recursive, PTHREAD_MUTEX_RECURSIVE);
    initialise(&checking, PTHREAD_MUTEX_ERRORCHECK);
    initialise(&other, PTHREAD_MUTEX_ERRORCHECK);
    CHECK_EQUAL(pthread_mutex_lock(&other), 0);
    guest_threads(MOVE_THREADS, body);
    CHECK_EQUAL(pthread_mutex_unlock(&other), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(counts[i], MOVE_THREADS * (MOVE_ROUNDS / 3));
    puts("every owner was known");
    return move_success();
}
