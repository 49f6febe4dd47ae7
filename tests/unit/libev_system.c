/* SPDX-License-Identifier: MIT */
/* Our own descriptors: out of the program's way. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/libev_system.h"
#include "../../core/loop.h"
#include "../../core/machine.h"
#include "../../core/processor.h"

static int lowest_free(void)
{
    int fd = dup(0);
    close(fd);
    return fd;
}

static void test_an_owned_descriptor_is_high_and_closed_on_exec(void **state)
{
    (void)state;
    int low = open("/dev/null", O_RDONLY), lowest = low;
    int own = weft_own_descriptor(low);
    assert_true(own > 100 && own < 1024);
    assert_int_equal(fcntl(own, F_GETFD), FD_CLOEXEC);
    assert_int_equal(lowest_free(), lowest); /* the low number is the program's again */
    assert_true(weft_loop_owns(own));
    assert_false(weft_loop_owns(lowest));
    weft_disown_descriptor(own);
    assert_false(weft_loop_owns(own));
    assert_int_equal(fcntl(own, F_GETFD), -1);
}

static void test_an_error_is_passed_through(void **state)
{
    (void)state;
    assert_int_equal(weft_own_descriptor(-EMFILE), -EMFILE);
}

static void test_owned_ones_are_listed_in_ascending_order(void **state)
{
    int own[6], listed[WEFT_OWN_DESCRIPTORS];
    (void)state;
    for (int i = 0; i < 6; i++)
        own[i] = weft_own_descriptor(open("/dev/null", O_RDONLY));
    weft_disown_descriptor(own[0]); /* so that a later slot has a lower number */
    weft_disown_descriptor(own[3]);
    own[3] = weft_own_descriptor(open("/dev/null", O_RDONLY));
    int count = weft_loop_owned(listed);
    assert_int_equal(count, 5);
    for (int i = 1; i < count; i++)
        assert_true(listed[i - 1] < listed[i]);
    for (int i = 1; i < 6; i++)
        weft_disown_descriptor(own[i]);
    assert_int_equal(weft_loop_owned(listed), 0);
}

static void test_there_is_an_end_to_what_can_be_owned(void **state)
{
    int own[WEFT_OWN_DESCRIPTORS];
    (void)state;
    for (int i = 0; i < WEFT_OWN_DESCRIPTORS; i++) {
        own[i] = weft_own_descriptor(open("/dev/null", O_RDONLY));
        assert_true(own[i] >= 0);
    }
    int lowest = lowest_free();
    assert_int_equal(weft_own_descriptor(open("/dev/null", O_RDONLY)), -EMFILE);
    assert_int_equal(lowest_free(), lowest); /* and the descriptor is not leaked */
    for (int i = 0; i < WEFT_OWN_DESCRIPTORS; i++)
        weft_disown_descriptor(own[i]);
}

static void test_with_a_low_limit_own_ones_stay_below_it(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {32, 32};
        setrlimit(RLIMIT_NOFILE, &limit);
        int own = weft_own_descriptor(open("/dev/null", O_RDONLY));
        _exit(own >= 16 && own < 32 && weft_loop_owns(own) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void *own_and_disown(void *argument)
{
    bool *right = argument;
    for (int i = 0; i < 20000; i++) {
        int own = weft_own_descriptor(open("/dev/null", O_RDONLY));
        if (own < 0 || fcntl(own, F_GETFD) < 0)
            *right = false;
        weft_disown_descriptor(own);
    }
    return NULL;
}

static void test_kernel_threads_do_not_close_each_others(void **state)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    bool right[THREADS];
    int listed[WEFT_OWN_DESCRIPTORS];
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        right[i] = true;
        assert_int_equal(pthread_create(&threads[i], NULL, own_and_disown, &right[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_true(right[i]);
    assert_int_equal(weft_loop_owned(listed), 0);
}

static void test_there_is_room_for_many_processors(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(weft_machine_start(48) == 0 ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_owned_descriptor_is_high_and_closed_on_exec),
        cmocka_unit_test(test_an_error_is_passed_through),
        cmocka_unit_test(test_owned_ones_are_listed_in_ascending_order),
        cmocka_unit_test(test_there_is_an_end_to_what_can_be_owned),
        cmocka_unit_test(test_with_a_low_limit_own_ones_stay_below_it),
        cmocka_unit_test(test_kernel_threads_do_not_close_each_others),
        cmocka_unit_test(test_there_is_room_for_many_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
