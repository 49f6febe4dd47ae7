/* SPDX-License-Identifier: MIT */
/* When it is worth it that carriers have CPUs of their own: the trials of parallelism.c, in a world of which
 * the test says what is done in it. */
#include "each_cpu.h"
#include "world.h"

/* Hogs fill the CPUs: one processor does twice as much where its peers are. */
static struct outcome better_with_peers(unsigned active)
{
    return (struct outcome){70, 0, 0, active == 1 && weft_placed() ? 120000 : 60000};
}

static struct outcome too_much_for_one(unsigned active)
{
    return (struct outcome){45 * active + 20, 0, 0, active == 1 ? 30000 : 60000};
}

static void test_one_goes_where_its_peers_are_among_hogs(void **state)
{
    (void)state;
    beside = 50 * cpus;
    begin_with(cpus);
    assert_true(live(better_with_peers, 40 * SECOND, 1, true) > 18 * SECOND);
    beside = 0; /* they have ended */
    live(better_with_peers, 1, 1, false);
    assert_false(weft_placed());
    weft_parallelism_reset();
}

static void test_what_is_too_much_for_one_stays_with_all(void **state)
{
    (void)state;
    beside = 50 * cpus;
    begin_with(cpus);
    assert_int_equal(live(too_much_for_one, 20 * SECOND, 1, true), 0);
    beside = 0;
    weft_parallelism_reset();
}

static struct outcome better_in_places(unsigned active)
{
    return active == 1 ? (struct outcome){70, 0, 0, 48000}
                       : (struct outcome){35 * active, 0, 0, weft_placed() ? 80000 : 45000};
}

static struct outcome worse_in_places(unsigned active)
{
    return (struct outcome){45 * active, 0, 0, active == 1 ? 30000 : weft_placed() ? 60000 : 80000};
}

static struct outcome collapsed_in_places(unsigned active)
{
    return (struct outcome){40 * active, 0, 0, weft_placed() ? 25000 : 45000};
}

static struct outcome as_good_anywhere(unsigned active)
{
    return (struct outcome){40 * active, 0, 0, 50000 * active};
}

static struct outcome little_to_do_there(unsigned active)
{
    return (struct outcome){6 * active, 0, 0, 80000};
}

static void test_places_that_bring_something_are_kept(void **state)
{
    (void)state;
    begin_with(cpus);
    assert_true(live(better_in_places, 40 * SECOND, cpus, true) > 18 * SECOND); /* others are tried, seldom */
    weft_parallelism_reset();
    assert_false(weft_placed());
}

static void test_places_that_bring_nothing_are_given_up(void **state)
{
    (void)state;
    begin_with(cpus);
    assert_true(live(as_good_anywhere, 40 * SECOND, cpus, false) > 18 * SECOND);
    weft_parallelism_reset();
}

static void test_places_that_bring_nothing_any_more_are_given_up(void **state)
{
    (void)state;
    begin_with(cpus);
    live(better_in_places, 10 * SECOND, cpus, true);
    live(worse_in_places, 20 * SECOND, cpus, false);
    assert_true(live(worse_in_places, 40 * SECOND, cpus, false) > 18 * SECOND);
    weft_parallelism_reset();
}

/* Long before the next trial. */
static void test_places_with_which_less_is_done_are_left(void **state)
{
    (void)state;
    begin_with(cpus);
    live(better_in_places, 10 * SECOND, cpus, true);
    assert_true(weft_placed());
    live(collapsed_in_places, SECOND / 5, cpus, true);
    assert_false(weft_placed());
    weft_parallelism_reset();
}

static void test_with_little_to_do_there_are_none(void **state)
{
    (void)state;
    begin_with(cpus);
    for (unsigned i = 0; i < 10 * SECOND; i++) {
        live(little_to_do_there, 1, cpus, false);
        assert_false(weft_placed());
    }
    live(better_in_places, 10 * SECOND, cpus, true);
    live(little_to_do_there, 1, cpus, false);
    assert_false(weft_placed());
    weft_parallelism_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_one_goes_where_its_peers_are_among_hogs),
        machine_test(test_what_is_too_much_for_one_stays_with_all),
        machine_test(test_places_that_bring_something_are_kept),
        machine_test(test_places_that_bring_nothing_are_given_up),
        machine_test(test_places_that_bring_nothing_any_more_are_given_up),
        machine_test(test_places_with_which_less_is_done_are_left),
        machine_test(test_with_little_to_do_there_are_none),
    };
    return each_cpu_can() ? cmocka_run_group_tests(tests, each_cpu_setup, NULL) : 0;
}
