// SPDX-License-Identifier: MIT
// A seccomp filter of some threads makes a system call a SIGSYS, whose handler answers in the kernel's stead,
// as the brokers of browsers' sandboxes do: each thread gets its own answer, and those without the filter the
// kernel's.
#include "filter.h"
#include <signal.h>
#include <ucontext.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

enum { THREADS = 16, CHECKS = 40, ANSWER = 100000000 }; // no process has such an id

struct worker {
    int index;
    struct tally tally;
};

static pid_t parent;
static __thread volatile int number, calls;

static void answer(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    CHECK_EQUAL(signal, SIGSYS);
    CHECK_EQUAL(info->si_code, SYS_SECCOMP);
    CHECK_EQUAL(info->si_syscall, SYS_getppid);
    calls++;
    registers[REG_RAX] = ANSWER + number;
}

static void look(struct tally *tally, int index, bool filtered)
{
    long expected = filtered ? ANSWER + index : parent;
    int before = calls;
    TALLY(tally, syscall(SYS_getppid) == expected);
    TALLY(tally, getppid() == expected);
    TALLY(tally, calls - before == (filtered ? 2 : 0));
}

static void *inherit(void *argument)
{
    struct worker *worker = argument;
    number = THREADS + worker->index;
    for (int i = 0; i < CHECKS / 2; i++) {
        look(&worker->tally, number, true);
        wander(2);
    }
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument, heir = {.index = worker->index};
    bool filtered = worker->index % 2;
    number = worker->index;
    wander(3);
    if (filtered) {
        no_new_privileges();
        CHECK_EQUAL(filter_install(SYS_getppid, SECCOMP_RET_TRAP, 0), 0);
    }
    for (int i = 0; i < CHECKS; i++) {
        look(&worker->tally, number, filtered);
        wander(2);
    }
    if (filtered) {
        pthread_t thread = guest_start(inherit, &heir);
        for (int i = 0; i < CHECKS / 2; i++) {
            look(&worker->tally, number, filtered);
            wander(2);
        }
        guest_join(thread);
        tally_add(&worker->tally, &heir.tally);
    }
    return NULL;
}

int main(void)
{
    const struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO};
    static struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct tally tally = {0};
    char name[48];
    parent = getppid();
    if (!filters_work()) {
        puts("no filters here");
        return 77;
    }
    CHECK_EQUAL(sigaction(SIGSYS, &action, NULL), 0);
    wander_begin();
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        threads[i] = guest_start(work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        look(&tally, 0, false);
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i, i % 2 ? "filtered" : "free");
        tally_print(name, &workers[i].tally);
    }
    tally_print("main", &tally);
    return tally_success();
}
