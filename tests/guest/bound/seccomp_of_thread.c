// SPDX-License-Identifier: MIT
// That a thread wants no new privileges, and its seccomp filters, are its own and those of the threads that
// it creates (so do sandboxes for plug-ins): other threads may still make the call. A filter that is meant
// for all reaches all, unless another has filters that the caller has not.
#include "filter.h"

enum { THREADS = 24, CHECKS = 40, OLD = 100, NEW = 200, FOR_ALL = 300 };

// In this order by a thread's index.
enum kind { FREE, WITHOUT_PRIVILEGES, FILTERED, ALSO_FREE, KINDS };
static const char *const kinds[KINDS] = {"free", "no new privileges", "filtered", "free"};

struct worker {
    enum kind kind;
    int index;
    bool promised; // to want no new privileges
    int error;     // of getppid, or 0
    struct tally tally;
};

static pid_t parent;
static pthread_barrier_t all_changed, all_tried;

// As the kernel answers: the parent's id, or -errno.
static long kernel_says(long number)
{
    long result = syscall(number);
    return result < 0 ? -errno : result;
}

static void look(struct worker *worker)
{
    struct tally *tally = &worker->tally;
    TALLY(tally, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == worker->promised);
    TALLY(tally, kernel_says(SYS_getppid) == (worker->error ? -worker->error : parent));
}

static void look_often(struct worker *worker, int times)
{
    for (int i = 0; i < times; i++) {
        look(worker);
        wander(2);
    }
}

static void filter(struct worker *worker, int error)
{
    CHECK_EQUAL(filter_install(SYS_getppid, SECCOMP_RET_ERRNO | (uint32_t)error, 0), 0);
    worker->error = error;
}

static void *inherit(void *argument)
{
    struct worker *worker = argument;
    look_often(worker, CHECKS / 2);
    if (worker->kind == FILTERED)
        filter(worker, NEW + worker->index); // the last one counts, and not for its creator
    look_often(worker, CHECKS / 2);
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    look_often(worker, CHECKS / 4);
    if (worker->kind == WITHOUT_PRIVILEGES || worker->kind == FILTERED) {
        no_new_privileges();
        worker->promised = true;
    }
    if (worker->kind == FILTERED) {
        wander(5);
        filter(worker, OLD + worker->index);
    }
    pthread_barrier_wait(&all_changed);
    struct worker heir = *worker;
    memset(&heir.tally, 0, sizeof heir.tally);
    pthread_t thread = guest_start(inherit, &heir);
    look_often(worker, CHECKS);
    guest_join(thread);
    tally_add(&worker->tally, &heir.tally);
    pthread_barrier_wait(&all_tried);
    look_often(worker, CHECKS / 2);
    return NULL;
}

// While others have filters of their own.
static void *try_for_all(void *tally)
{
    no_new_privileges();
    long result = filter_install(SYS_getpgrp, SECCOMP_RET_ERRNO | FOR_ALL, SECCOMP_FILTER_FLAG_TSYNC);
    TALLY((struct tally *)tally, result > 0);
    TALLY((struct tally *)tally, kernel_says(SYS_getpgrp) == getpgid(0));
    return NULL;
}

// A thread that has been joined may still be on its way out, with its filters.
static void *do_for_all(void *tally)
{
    long result;
    no_new_privileges();
    for (int64_t end = guest_now(CLOCK_MONOTONIC) + 10 * GUEST_SECOND;;) {
        result = filter_install(SYS_getpgrp, SECCOMP_RET_ERRNO | FOR_ALL, SECCOMP_FILTER_FLAG_TSYNC);
        if (result <= 0 || guest_now(CLOCK_MONOTONIC) > end)
            break;
        usleep(1000);
    }
    TALLY((struct tally *)tally, result == 0);
    return NULL;
}

static void look_when_reached(struct worker *worker)
{
    for (int i = 0; i < CHECKS / 2; i++) {
        TALLY(&worker->tally, kernel_says(SYS_getpgrp) == -FOR_ALL);
        look(worker);
        wander(2);
    }
}

static void *be_reached(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < CHECKS / 2; i++) {
        TALLY(&worker->tally, kernel_says(SYS_getpgrp) == getpgid(0));
        look(worker);
        wander(2);
    }
    pthread_barrier_wait(&all_changed);
    wander(5);
    pthread_barrier_wait(&all_tried);
    worker->promised = true;
    look_when_reached(worker);
    return NULL;
}

static void *come_late(void *argument)
{
    look_when_reached((struct worker *)argument);
    return NULL;
}

static void start(struct worker *workers, pthread_t *threads, int kind_count, void *(*body)(void *))
{
    memset(workers, 0, THREADS * sizeof *workers);
    for (int i = 0; i < THREADS; i++) {
        workers[i].kind = (enum kind)(i % kind_count);
        workers[i].index = i;
        threads[i] = guest_start(body, &workers[i]);
    }
}

static void join(struct worker *workers, pthread_t *threads)
{
    char name[48];
    for (int i = 0; i < THREADS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i, kinds[workers[i].kind]);
        tally_print(name, &workers[i].tally);
    }
}

int main(void)
{
    static struct worker workers[THREADS];
    struct worker mine = {.kind = FREE};
    pthread_t threads[THREADS];
    struct tally attempts = {0};
    parent = getppid();
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0 || !filters_work()) {
        puts("no filters here");
        return 77;
    }
    CHECK_EQUAL(pthread_barrier_init(&all_changed, NULL, THREADS + 1), 0);
    CHECK_EQUAL(pthread_barrier_init(&all_tried, NULL, THREADS + 1), 0);
    wander_begin();

    puts("filters of single threads");
    start(workers, threads, KINDS, work);
    pthread_barrier_wait(&all_changed);
    guest_join(guest_start(try_for_all, &attempts));
    look_often(&mine, CHECKS);
    pthread_barrier_wait(&all_tried);
    join(workers, threads);

    puts("a filter for all");
    start(workers, threads, 1, be_reached);
    pthread_barrier_wait(&all_changed);
    guest_join(guest_start(do_for_all, &attempts));
    mine.promised = true;
    pthread_barrier_wait(&all_tried);
    look_when_reached(&mine);
    join(workers, threads);
    tally_print("main", &mine.tally);
    memset(&mine.tally, 0, sizeof mine.tally);
    guest_join(guest_start(come_late, &mine));
    tally_print("a thread that comes late", &mine.tally);
    tally_print("attempts", &attempts);
    return tally_success();
}
