// SPDX-License-Identifier: MIT
// The base of the GS segment is a thread's own: libraries of the Windows world (Wine's for one) and language
// runtimes keep there what FS keeps for libc. Each thread reads its own area by %gs:0 after all kinds of
// waits and in signal handlers; a new thread begins with its creator's; a child process has that of the
// thread that forked.
#include "bound.h"
#include <asm/prctl.h>
#include <signal.h>

enum { THREADS = 24, CHECKS = 40 };

struct area {
    struct area *self;
    long number;
};

struct worker {
    int index;
    bool sets;
    struct area areas[2], *area; // NULL: none set
    struct tally tally;
};

static __thread struct worker *self;

static unsigned long base_now(void)
{
    unsigned long base = ~0UL;
    CHECK_EQUAL(syscall(SYS_arch_prctl, ARCH_GET_GS, &base), 0);
    return base;
}

static void set_base(struct area *area)
{
    CHECK_EQUAL(syscall(SYS_arch_prctl, ARCH_SET_GS, area), 0);
}

static inline struct area *area_now(void)
{
    struct area *area;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(area)::"memory");
    return area;
}

static inline long number_now(void)
{
    long number;
    __asm__ volatile("movq %%gs:8, %0" : "=r"(number)::"memory");
    return number;
}

static void look(struct worker *worker)
{
    unsigned long base = base_now();
    TALLY(&worker->tally, base == (uintptr_t)worker->area);
    if (worker->area) {
        TALLY(&worker->tally, base != 0 && area_now() == worker->area);
        TALLY(&worker->tally, base != 0 && number_now() == worker->area->number);
    }
}

static void handle(int number)
{
    (void)number;
    look(self);
}

static void look_often(struct worker *worker, int times)
{
    for (int i = 0; i < times; i++) {
        look(worker);
        if (i % 8 == 0)
            CHECK_EQUAL(raise(SIGUSR1), 0);
        wander(2);
    }
}

static void *inherit(void *argument)
{
    struct worker *worker = argument;
    self = worker;
    look_often(worker, CHECKS / 3);
    if (worker->sets) {
        worker->area = &worker->areas[0];
        set_base(worker->area);
    }
    look_often(worker, CHECKS / 3);
    return NULL;
}

static void name_areas(struct worker *worker, long number)
{
    for (int i = 0; i < 2; i++)
        worker->areas[i] = (struct area){&worker->areas[i], number + i};
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    self = worker;
    look_often(worker, CHECKS / 4);
    for (int round = 0; round < 2; round++) {
        if (worker->sets) {
            worker->area = &worker->areas[round];
            set_base(worker->area);
        }
        look_often(worker, CHECKS);
    }
    struct worker heir = *worker;
    memset(&heir.tally, 0, sizeof heir.tally);
    name_areas(&heir, 1000 + 10 * worker->index);
    pthread_t thread = guest_start(inherit, &heir);
    look_often(worker, CHECKS / 2);
    guest_join(thread);
    tally_add(&worker->tally, &heir.tally);
    if (worker->index % 3 == 0) {
        int status;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            struct worker mine = *worker;
            memset(&mine.tally, 0, sizeof mine.tally);
            look(&mine);
            _exit(mine.tally.failed);
        }
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        TALLY(&worker->tally, status == 0);
    }
    if (worker->index % 4 == 1) { // as at the beginning
        worker->area = NULL;
        set_base(NULL);
        look_often(worker, CHECKS / 4);
    }
    return NULL;
}

int main(void)
{
    const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    static struct worker workers[THREADS], mine;
    pthread_t threads[THREADS];
    char name[48];
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    self = &mine;
    wander_begin();
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        workers[i].sets = i % 3 != 2;
        name_areas(&workers[i], 10 * i);
        threads[i] = guest_start(work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        look(&mine);
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i, workers[i].sets ? "sets it" : "does not");
        tally_print(name, &workers[i].tally);
    }
    look_often(&mine, CHECKS / 2);
    tally_print("main", &mine.tally);
    return tally_success();
}
