/* SPDX-License-Identifier: MIT */
/* Shortage, in forked children: memory by RLIMIT_AS, descriptors by RLIMIT_NOFILE. Errors, but no crash. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/carrier.h"
#include "../../core/loop.h"
#include "../../core/machine.h"
#include "../../core/raw.h"
#include "../../core/slab.h"
#include "../../core/weft.h"

enum { DONE = 0, WRONG = 1, ENDLESS = 2 };

/* Runs function(argument) in a child and returns its wait status. */
static int in_child(int (*function)(long argument), long argument)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
        signal(SIGABRT, SIG_DFL);
        close(2);
        _exit(function(argument));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Leaves `more` bytes of address space. */
static void limit_memory(long more)
{
    char text[64] = {0};
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = file && fgets(text, sizeof text, file) ? strtoul(text, NULL, 10) : 0;
    fclose(file);
    struct rlimit limit = {pages * 4096 + (unsigned long)more, pages * 4096 + (unsigned long)more};
    setrlimit(RLIMIT_AS, &limit);
}

struct object {
    char bytes[4096];
    void *link;
};

static int exhaust_slab(long argument)
{
    static struct weft_slab slab = WEFT_SLAB_OF(struct object);
    (void)argument;
    limit_memory(4 << 20);
    struct object *last = NULL, *object;
    int taken = 0;
    while ((object = weft_slab_take(&slab))) {
        last = object;
        if (++taken > 100000)
            return ENDLESS;
    }
    if (taken < 500 || slab.live != (size_t)taken)
        return WRONG;
    weft_slab_give(&slab, last); /* what is given back can be taken again */
    return weft_slab_take(&slab) == last && !weft_slab_take(&slab) ? DONE : WRONG;
}

static void test_an_exhausted_slab_gives_null(void **state)
{
    (void)state;
    assert_int_equal(in_child(exhaust_slab, 0), 0);
}

static int exhaust_pages(long argument)
{
    (void)argument;
    limit_memory(1 << 20);
    if (weft_pages_map(2 << 20) || weft_reallocate(NULL, 2 << 20))
        return WRONG;
    char *kept = weft_reallocate(NULL, 100);
    if (!kept)
        return WRONG;
    strcpy(kept, "kept");
    if (weft_reallocate(kept, 2 << 20)) /* as realloc: the old block stays */
        return WRONG;
    return strcmp(kept, "kept") == 0 ? DONE : WRONG;
}

static void test_what_cannot_be_mapped_is_null(void **state)
{
    (void)state;
    assert_int_equal(in_child(exhaust_pages, 0), 0);
}

static int exhaust_coroutines(long argument)
{
    (void)argument;
    limit_memory(4 << 20);
    struct coroutine *coroutine, *last = NULL;
    int taken = 0;
    while ((coroutine = weft_coroutine_take(NULL, 0))) {
        last = coroutine;
        if (++taken > 1000000)
            return ENDLESS;
    }
    if (taken < 1000)
        return WRONG;
    int id = last->tid;
    last->state = WEFT_DEAD;
    weft_coroutine_give(NULL, last);
    coroutine = weft_coroutine_take(NULL, 0);
    return coroutine == last && coroutine->tid != id && !weft_coroutine_take(NULL, 0) ? DONE : WRONG;
}

static void test_exhausted_coroutines_are_null(void **state)
{
    (void)state;
    assert_int_equal(in_child(exhaust_coroutines, 0), 0);
}

static int coroutine_without_table(long argument)
{
    limit_memory(argument);
    struct coroutine *coroutine = weft_coroutine_take(NULL, 0);
    return !coroutine || weft_coroutine_find(coroutine->tid) == coroutine ? DONE : WRONG;
}

static void test_every_shortage_of_a_first_coroutine(void **state)
{
    (void)state;
    for (long more = 0; more <= 512 << 10; more += 16 << 10)
        assert_int_equal(in_child(coroutine_without_table, more), 0);
}

static int exhaust_timers(long argument)
{
    static struct weft_timer timer[1 << 20];
    struct weft_timers timers = {0};
    (void)argument;
    limit_memory(1 << 20);
    size_t i = 0;
    while (i < sizeof timer / sizeof *timer &&
           weft_timers_start(&timers, &timer[i], (int64_t)(i * 7919 % 10007)) == 0)
        i++;
    if (i < 256 || i == sizeof timer / sizeof *timer)
        return WRONG;
    /* What failed is not started, and all others still are. */
    return timer[i].place == 0 && timers.count == i && weft_timers_verify(&timers) ? DONE : WRONG;
}

static void test_a_heap_that_cannot_grow_keeps_its_timers(void **state)
{
    (void)state;
    assert_int_equal(in_child(exhaust_timers, 0), 0);
}

static void *nothing(void *value, void *argument)
{
    (void)argument;
    return value;
}

static int exhaust_primitive(long argument)
{
    struct weft_coroutine *coroutine = NULL;
    int created = 0, result;
    (void)argument;
    limit_memory(4 << 20);
    while ((result = weft_coroutine_create(&coroutine, nothing, NULL, 0)) == 0)
        if (++created > 1000)
            return ENDLESS;
    return result == -ENOMEM && created > 5 && weft_coroutine_resume(coroutine, NULL, NULL) == 0 ? DONE
                                                                                                 : WRONG;
}

static void test_a_primitive_without_memory_is_enomem(void **state)
{
    (void)state;
    assert_int_equal(in_child(exhaust_primitive, 0), 0);
}

static bool started_nothing(void)
{
    return weft_current == NULL && weft_processor_count == 0;
}

/* `free` descriptors may be opened. */
static int start_without_descriptors(long free)
{
    struct rlimit limit;
    int lowest = dup(0), own[WEFT_OWN_DESCRIPTORS];
    getrlimit(RLIMIT_NOFILE, &limit);
    close(lowest);
    limit.rlim_cur = (rlim_t)(lowest + free);
    setrlimit(RLIMIT_NOFILE, &limit);
    int result = weft_machine_start(1);
    if (free >= 4)
        return result == 0 && weft_current ? DONE : WRONG;
    if (result == 0)
        return free >= 2 && weft_current ? DONE : WRONG;
    if (result > -1 || result < -4095 || !started_nothing() || weft_loop_owned(own) != 0)
        return WRONG;
    int again = dup(0);
    if (free > 0 && again != lowest) /* a descriptor was leaked */
        return WRONG;
    close(again);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return weft_machine_start(1) == 0 && weft_current ? DONE : WRONG; /* it may be tried again */
}

static void test_a_start_without_descriptors_is_an_error(void **state)
{
    (void)state;
    for (long free = 0; free < 6; free++)
        assert_int_equal(in_child(start_without_descriptors, free), 0);
    assert_int_equal(in_child(start_without_descriptors, 0), 0);
}

static int start_without_memory(long more)
{
    limit_memory(more);
    int result = weft_machine_start(1);
    return result == 0 ? DONE : result < 0 && result >= -4095 && started_nothing() ? DONE : WRONG;
}

static void test_every_shortage_at_the_start_is_an_error(void **state)
{
    (void)state;
    for (long more = 0; more <= 3 << 20; more += 16 << 10)
        assert_int_equal(in_child(start_without_memory, more), 0);
}

static void find_main(struct coroutine *coroutine, void *argument)
{
    (void)coroutine;
    *(bool *)argument = true;
}

static int start_and_look(long argument)
{
    struct rlimit limit = {0, 0};
    bool left = false;
    (void)argument;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (weft_machine_start(1) == 0)
        return WRONG;
    weft_coroutine_each(find_main, &left);
    return left || weft_coroutine_find(getpid()) ? WRONG : DONE;
}

static void test_a_start_that_fails_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_and_look, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_exhausted_slab_gives_null),
        cmocka_unit_test(test_what_cannot_be_mapped_is_null),
        cmocka_unit_test(test_exhausted_coroutines_are_null),
        cmocka_unit_test(test_every_shortage_of_a_first_coroutine),
        cmocka_unit_test(test_a_heap_that_cannot_grow_keeps_its_timers),
        cmocka_unit_test(test_a_primitive_without_memory_is_enomem),
        cmocka_unit_test(test_a_start_without_descriptors_is_an_error),
        cmocka_unit_test(test_every_shortage_at_the_start_is_an_error),
        cmocka_unit_test(test_a_start_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
