/* SPDX-License-Identifier: MIT */
/* Carriers on CPUs of their own: who is pinned, and who no longer. */
#include "each_cpu.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

/* Of the calling kernel thread: the only one it may run on, or WEFT_ANYWHERE. */
static int pinned_to(void)
{
    uint64_t mask[16] = {0};
    int cpu = WEFT_ANYWHERE;
    weft_raw3(SYS_sched_getaffinity, 0, sizeof mask, (long)mask);
    for (int i = 0; i < 1024; i++)
        if (mask[i / 64] >> i % 64 & 1) {
            if (cpu != WEFT_ANYWHERE)
                return WEFT_ANYWHERE;
            cpu = i;
        }
    return cpu;
}

static void pin(int cpu)
{
    uint64_t mask[16] = {0};
    mask[cpu / 64] = UINT64_C(1) << cpu % 64;
    assert_int_equal(weft_raw3(SYS_sched_setaffinity, 0, sizeof mask, (long)mask), 0);
}

/* On each processor in turn, past its carrier's loop. */
static void look_where_carriers_run(int where[])
{
    for (unsigned i = 0; i < cpus; i++) {
        machine_go_to((i + 1) % cpus);
        machine_go_to(i);
        where[i] = pinned_to();
    }
}

static void test_each_carrier_gets_a_cpu_and_loses_it_again(void **state)
{
    int where[MOST];
    (void)state;
    assert_true(weft_place_begin());
    assert_true(weft_placed());
    look_where_carriers_run(where);
    for (unsigned i = 0; i < cpus; i++) {
        assert_int_not_equal(where[i], WEFT_ANYWHERE);
        assert_ptr_equal(weft_place_processor(where[i]), &weft_processors[i]);
        for (unsigned k = 0; k < i; k++)
            assert_int_not_equal(where[i], where[k]);
    }
    weft_place_end();
    assert_false(weft_placed());
    assert_int_equal(pinned_to(), WEFT_ANYWHERE); /* at once */
    look_where_carriers_run(where);
    for (unsigned i = 0; i < cpus; i++)
        assert_int_equal(where[i], WEFT_ANYWHERE);
}

static void test_there_is_a_processor_for_each_cpu_or_nothing_happens(void **state)
{
    (void)state;
    uint64_t all[16];
    long size = weft_raw3(SYS_sched_getaffinity, 0, sizeof all, (long)all);
    pin(sched_getcpu());
    bool began = weft_place_begin();
    weft_raw3(SYS_sched_setaffinity, 0, size, (long)all);
    assert_false(began);
    assert_false(weft_placed());
}

static void test_what_others_have_set_stays(void **state)
{
    (void)state;
    uint64_t all[16];
    int where[MOST];
    long size = weft_raw3(SYS_sched_getaffinity, 0, sizeof all, (long)all);
    assert_true(weft_place_begin());
    look_where_carriers_run(where);
    machine_go_to(0);
    pin(where[1]); /* as taskset(1) would from outside */
    weft_place_end();
    int found = pinned_to();
    weft_raw3(SYS_sched_setaffinity, 0, size, (long)all);
    assert_int_equal(found, where[1]);
}

static uint32_t other_ran;
static atomic_uint spinners, released;

static void note_that_it_ran(void *argument)
{
    (void)argument;
    __atomic_store_n(&other_ran, 1, __ATOMIC_SEQ_CST);
}

static void spin_until_another_ran(void *argument)
{
    (void)argument;
    atomic_fetch_add(&spinners, 1);
    require(task_becomes_set(&other_ran));
    if (pinned_to() == WEFT_ANYWHERE)
        atomic_fetch_add(&released, 1);
}

/* When each processor computes, main runs only because the monitor has taken one away. */
static void test_whose_processor_was_taken_is_released(void **state)
{
    struct task tasks[MOST];
    int where[MOST];
    (void)state;
    other_ran = 0;
    atomic_store(&spinners, 0);
    atomic_store(&released, 0);
    weft_monitor_start();
    assert_true(weft_place_begin());
    look_where_carriers_run(where);
    for (unsigned i = 0; i < cpus; i++) {
        task_prepare(&tasks[i], spin_until_another_ran, NULL);
        tasks[i].coroutine->state = WEFT_READY;
        weft_processor_post(&weft_processors[i], tasks[i].coroutine);
    }
    while (atomic_load(&spinners) < cpus)
        weft_yield(weft_current);
    note_that_it_ran(NULL);
    for (unsigned i = 0; i < cpus; i++)
        task_join(&tasks[i]);
    weft_place_end();
    assert_true(atomic_load(&released) > 0);
}

static unsigned hogs;

/* It keeps its processor when there is nothing else to do for that. */
static void leave_as_hog(void *argument)
{
    struct coroutine *self = weft_current;
    (void)argument;
    weft_core_enter(self);
    weft_hint_set(self->hog, 1);
    weft_core_leave(self);
    if ((atomic_load(&self->carrier->processor->owner) & ~WEFT_FLAGS) == (uintptr_t)self->carrier)
        return;
    hogs++;
    require(pinned_to() == WEFT_ANYWHERE);
}

static void test_a_hog_is_released(void **state)
{
    (void)state;
    int where[MOST];
    assert_true(weft_place_begin());
    look_where_carriers_run(where);
    hogs = 0;
    for (int i = 0; i < 200; i++) {
        struct task hog, other;
        weft_kernel_enter(weft_current); /* from a carrier, which becomes a spare, and stays pinned */
        weft_kernel_leave(weft_current);
        task_start(&hog, leave_as_hog, NULL);
        task_start(&other, note_that_it_ran, NULL);
        task_join(&hog);
        task_join(&other);
    }
    weft_place_end();
    assert_true(hogs > 0);
}

static void connect_pair(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *)&address, size), 0);
    ends[1] = accept(listener, NULL, NULL);
    assert_true(ends[1] >= 0);
    close(listener);
}

/* Some waits, as every eighth looks. Beside other programs an idle processor often takes who has been
 * readied: then he is elsewhere. Who stays where he is never comes there. */
static void test_who_waits_goes_where_his_peer_is(void **state)
{
    enum { ENOUGH = 10, ROUNDS = 2000 };
    int ends[2], there = 0, where[MOST];
    (void)state;
    connect_pair(ends);
    assert_true(weft_place_begin());
    look_where_carriers_run(where);
    for (unsigned i = 0; i < ROUNDS && there < ENOUGH; i++) {
        unsigned peers = i % 2;
        machine_go_to(peers);
        assert_int_equal(send(ends[0], "a", 1, 0), 1); /* arrives on the CPU on which it is sent */
        machine_go_to(!peers);
        struct weft_watcher watcher = {.fd = ends[1], .events = WEFT_READABLE, .shared = true};
        for (unsigned wait = 0; wait < 8; wait++)
            weft_wait_watchers(&watcher, 1, WEFT_REASON_READ, WEFT_NEVER);
        there += weft_current->carrier->processor->index == peers;
        char byte;
        assert_int_equal(recv(ends[1], &byte, 1, 0), 1);
    }
    weft_place_end();
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(there, ENOUGH);
}

static void test_one_that_is_alone_goes_where_its_peers_are(void **state)
{
    struct processor *alone = &weft_processors[0];
    int where[MOST];
    (void)state;
    weft_place_begin();
    assert_false(weft_place_draw(alone, 0)); /* it is not */
    look_where_carriers_run(where);
    weft_place_end();
    atomic_store(&weft_parallelism, 1);
    assert_true(weft_place_begin());
    int here = alone->cpu, there = where[0] == here ? where[1] : where[0];
    assert_int_equal(weft_processors[1].cpu, WEFT_ANYWHERE);
    for (int i = 0; i < 100; i++) {
        assert_true(weft_place_draw(alone, i % 10 ? there : here)); /* they do not agree */
        assert_int_equal(alone->cpu, here);
    }
    for (int i = 0; i < 100; i++)
        weft_place_draw(alone, 1023); /* where we may not run */
    assert_int_equal(alone->cpu, here);
    for (int i = 0; i < 32; i++)
        weft_place_draw(alone, there);
    assert_int_equal(alone->cpu, there);
    weft_parallelism_reset();
    assert_false(weft_placed());
}

static void test_who_waits_draws_one_that_is_alone_to_his_peer(void **state)
{
    enum { WAITS = 1000 };
    struct processor *alone = &weft_processors[0];
    int ends[2], status, there;
    (void)state;
    connect_pair(ends);
    weft_place_begin();
    there = weft_processors[1].cpu;
    weft_place_end();
    machine_go_to(0);
    pid_t peer = fork();
    if (peer == 0) {
        pin(there);
        _exit(send(ends[0], "a", 1, 0) != 1);
    }
    assert_int_equal(waitpid(peer, &status, 0), peer);
    assert_int_equal(status, 0);
    atomic_store(&weft_parallelism, 1);
    assert_true(weft_place_begin());
    assert_int_not_equal(alone->cpu, there);
    struct weft_watcher watcher = {.fd = ends[1], .events = WEFT_READABLE, .shared = true};
    for (int i = 0; i < WAITS && alone->cpu != there; i++)
        weft_wait_watchers(&watcher, 1, WEFT_REASON_READ, WEFT_NEVER);
    assert_int_equal(alone->cpu, there);
    weft_parallelism_reset();
    close(ends[0]);
    close(ends[1]);
}

static atomic_int computing; /* the kernel thread that does */

static void compute(void *argument)
{
    atomic_bool *stop = argument;
    atomic_store(&computing, weft_current->carrier->tid);
    while (!atomic_load(stop))
        __builtin_ia32_pause();
}

/* The CPU that the kernel thread is on, or waits for. */
static int cpu_of(int tid)
{
    enum { PROCESSOR = 39 /* proc_pid_stat(5) */, COMMAND = 2 };
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    char *field = strrchr(text, ')') + 1;
    for (int i = COMMAND + 1; i < PROCESSOR; i++)
        field = strchr(field + 1, ' ');
    return (int)strtol(field, NULL, 10);
}

/* Processes that keep the CPUs busy, so that these fetch nobody. */
static void occupy_all(const int where[], pid_t children[])
{
    for (unsigned i = 0; i < cpus; i++) {
        children[i] = fork();
        if (children[i])
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a check fails */
        pin(where[i]);
        for (;;)
            __builtin_ia32_pause();
    }
}

static void test_who_computes_leaves_the_cpu_of_one_that_is_alone(void **state)
{
    enum { ROUNDS = 40 };
    atomic_bool stop = false;
    struct task task;
    unsigned left = 0;
    int where[MOST];
    pid_t children[MOST];
    (void)state;
    weft_place_begin();
    for (unsigned i = 0; i < cpus; i++)
        where[i] = weft_processors[i].cpu;
    weft_place_end();
    machine_go_to(0);
    atomic_store(&computing, 0);
    task_prepare(&task, compute, &stop);
    task.coroutine->state = WEFT_READY;
    weft_processor_post(&weft_processors[1], task.coroutine);
    while (!atomic_load(&computing))
        weft_yield(weft_current);
    occupy_all(where, children);
    for (int round = 0; round < ROUNDS; round++) {
        atomic_store(&weft_parallelism, 1);
        assert_true(weft_place_begin());
        int cpu = cpu_of(computing);
        weft_hint_set(weft_processors[0].cpu, cpu);
        weft_place_look();
        left += cpu_of(computing) != cpu;
        weft_place_end();
        weft_place_look();
    }
    for (unsigned i = 0; i < cpus; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    atomic_store(&stop, true);
    task_join(&task);
    weft_parallelism_reset();
    assert_true(left > ROUNDS * 3 / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        machine_test(test_each_carrier_gets_a_cpu_and_loses_it_again),
        machine_test(test_there_is_a_processor_for_each_cpu_or_nothing_happens),
        machine_test(test_what_others_have_set_stays),
        /* these before there is a monitor, which would decide */
        machine_test(test_one_that_is_alone_goes_where_its_peers_are),
        machine_test(test_who_waits_draws_one_that_is_alone_to_his_peer),
        machine_test(test_who_computes_leaves_the_cpu_of_one_that_is_alone),
        machine_test(test_a_hog_is_released),
        machine_test(test_whose_processor_was_taken_is_released),
        machine_test(test_who_waits_goes_where_his_peer_is),
    };
    return each_cpu_can() ? cmocka_run_group_tests(tests, each_cpu_setup, NULL) : 0;
}
