/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../core/lock.h"

enum { THREADS = 6, ROUNDS = 20000 };

static struct weft_lock lock;
static volatile long counter, inside; /* volatile: no atomicity but the lock's */

static void *count(void *argument)
{
    int *alone = argument;
    for (int i = 0; i < ROUNDS; i++) {
        weft_lock_acquire(&lock);
        *alone &= inside++ == 0;
        counter = counter + 1;
        if (i % 512 == 0)
            sched_yield(); /* so that others find it held */
        inside--;
        weft_lock_release(&lock);
    }
    return NULL;
}

static void test_the_lock_excludes_kernel_threads_from_each_other(void **state)
{
    pthread_t threads[THREADS];
    int alone[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        alone[i] = 1;
        assert_int_equal(pthread_create(&threads[i], NULL, count, &alone[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(alone[i], 1);
    }
    assert_int_equal(counter, (long)THREADS * ROUNDS);
    assert_int_equal(lock.state, 0);
}

struct sleeper {
    pthread_t thread;
    atomic_int tid;
    atomic_int got;
};

static void *take_once(void *argument)
{
    struct sleeper *sleeper = argument;
    atomic_store(&sleeper->tid, (int)syscall(SYS_gettid));
    weft_lock_acquire(&lock);
    atomic_store(&sleeper->got, 1);
    weft_lock_release(&lock);
    return NULL;
}

/* True when the kernel thread sleeps in futex(2) (system call 202). */
static int sleeps_in_futex(int tid)
{
    char path[64], text[16] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    int found = fgets(text, sizeof text, file) && strncmp(text, "202 ", 4) == 0;
    fclose(file);
    return found;
}

static void test_a_release_wakes_the_sleepers_one_after_another(void **state)
{
    struct sleeper sleepers[3];
    (void)state;
    memset(sleepers, 0, sizeof sleepers);
    weft_lock_acquire(&lock);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&sleepers[i].thread, NULL, take_once, &sleepers[i]), 0);
    for (int i = 0; i < 3; i++) {
        while (!atomic_load(&sleepers[i].tid) || !sleeps_in_futex(sleepers[i].tid))
            usleep(1000);
        assert_int_equal(atomic_load(&sleepers[i].got), 0);
    }
    assert_int_equal(lock.state, 2); /* held with sleepers */
    weft_lock_release(&lock);
    for (int i = 0; i < 3; i++) {
        pthread_join(sleepers[i].thread, NULL); /* hangs when a wake-up is lost */
        assert_int_equal(atomic_load(&sleepers[i].got), 1);
    }
    weft_lock_acquire(&lock);
    assert_int_not_equal(lock.state, 0);
    weft_lock_release(&lock);
    assert_int_equal(lock.state, 0);
}

static void *release_for_another(void *argument)
{
    weft_lock_release_after(argument);
    return NULL;
}

static void test_another_thread_may_release(void **state)
{
    pthread_t thread;
    (void)state;
    weft_lock_acquire(&lock);
    assert_int_equal(pthread_create(&thread, NULL, release_for_another, &lock), 0);
    weft_lock_acquire(&lock);
    pthread_join(thread, NULL);
    assert_int_not_equal(lock.state, 0);
    weft_lock_release(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lock_excludes_kernel_threads_from_each_other),
        cmocka_unit_test(test_a_release_wakes_the_sleepers_one_after_another),
        cmocka_unit_test(test_another_thread_may_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
