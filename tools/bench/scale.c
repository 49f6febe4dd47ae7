// SPDX-License-Identifier: MIT
/*
 * scale: what operations cost while many threads are parked.
 *
 *     bench_scale PARKED [MILLISECONDS]
 *
 * PARKED threads each wait for a futex word of their own, with a deadline an hour ahead: so each stands in
 * the futex table and among the timers. Then a few threads do what the other micro-benchmarks do, each for
 * MILLISECONDS (100); then all are woken, and yield in turn, which is a switch to a thread that no cache
 * remembers. Figures are ns of CPU time of the process for each operation: waiting for the CPU, which other
 * programs use too, is not in it. One line each: name and figure.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

static long parked;
static uint32_t *words;
static long entered, resumed, switches; /* atomic */
static int stop;                        /* atomic */
static uint32_t go;
static sem_t all_resumed;

static uint64_t cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void show(const char *name, double figure)
{
    printf("%s %.1f\n", name, figure);
    fflush(stdout);
}

static void *park(void *word)
{
    struct timespec hour = {3600, 0};

    __atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n((uint32_t *)word, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, &hour, NULL, 0);
    if (__atomic_add_fetch(&resumed, 1, __ATOMIC_SEQ_CST) == parked)
        sem_post(&all_resumed);
    while (__atomic_load_n(&go, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, &go, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    for (;;) {
        __atomic_fetch_add(&switches, 1, __ATOMIC_RELAXED);
        sched_yield();
    }
    return NULL;
}

/*
 * The partner of an operation that takes two threads; the figure is for one thread's part. It looks at `stop`
 * after it got its turn and before it gives it back, so it answers the very call before which `stop` was set.
 */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn;
static sem_t there, back;
static int ping[2], pong[2];

static void *yield_partner(void *argument)
{
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
        sched_yield();
    return argument;
}

static void yield_once(void)
{
    sched_yield();
}

static int take_turn(int mine)
{
    pthread_mutex_lock(&mutex);
    while (turn != mine)
        pthread_cond_wait(&turn_changed, &mutex);
    int last = __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
    turn = !mine;
    pthread_cond_signal(&turn_changed);
    pthread_mutex_unlock(&mutex);
    return last;
}

static void *condvar_partner(void *argument)
{
    while (!take_turn(1))
        continue;
    return argument;
}

static void condvar_once(void)
{
    take_turn(0);
}

static void wait_at_most_an_hour(sem_t *semaphore)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 3600;
    bench_check(sem_timedwait(semaphore, &deadline) ? errno : 0, "sem_timedwait");
}

static void *timer_partner(void *argument)
{
    int last;

    do {
        wait_at_most_an_hour(&there);
        last = __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
        sem_post(&back);
    } while (!last);
    return argument;
}

static void timer_once(void)
{
    sem_post(&there);
    wait_at_most_an_hour(&back);
}

static void *pipe_partner(void *argument)
{
    char byte;
    int last;

    do {
        if (read(ping[0], &byte, 1) != 1)
            bench_check(errno, "read");
        last = __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
        if (write(pong[1], &byte, 1) != 1)
            bench_check(errno, "write");
    } while (!last);
    return argument;
}

static void pipe_once(void)
{
    char byte = 0;

    if (write(ping[1], &byte, 1) != 1 || read(pong[0], &byte, 1) != 1)
        bench_check(errno, "pipe");
}

static void *nothing(void *argument)
{
    return argument;
}

static void create_once(void)
{
    pthread_t thread;

    bench_start(&thread, nothing, NULL);
    bench_join(thread);
}

static const struct operation {
    const char *name;
    void *(*partner)(void *); /* NULL: it needs none */
    void (*once)(void);
    int parts; /* hand-overs of one call of `once` */
} operations[] = {
    {"yield", yield_partner, yield_once, 2}, {"condvar", condvar_partner, condvar_once, 2},
    {"timer", timer_partner, timer_once, 2}, {"pipe", pipe_partner, pipe_once, 2},
    {"create_join", NULL, create_once, 1},
};

static void measure(const struct operation *operation, uint64_t target)
{
    pthread_t partner;
    uint64_t began = 0, elapsed = 0, rounds = 0;

    stop = 0;
    if (operation->partner)
        bench_start(&partner, operation->partner, NULL);
    for (int i = 0; i < 100; i++)
        operation->once();
    for (began = cpu_now(); elapsed < target; elapsed = cpu_now() - began)
        for (int i = 0; i < 100; i++, rounds++)
            operation->once();
    show(operation->name, (double)elapsed / (double)rounds / operation->parts);
    if (operation->partner) {
        __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
        operation->once();
        bench_join(partner);
    }
    stop = 0;
}

static long memory(void)
{
    char line[256];
    long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "VmPTE:", 6) == 0)
            kilobytes += strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kilobytes;
}

static void start_parked(void)
{
    long before = memory();
    uint64_t began = cpu_now();

    for (long i = 0; i < parked; i++) {
        pthread_t thread;

        bench_start(&thread, park, &words[i]);
    }
    while (__atomic_load_n(&entered, __ATOMIC_SEQ_CST) < parked)
        sched_yield();
    /* The last has announced itself, but does not wait yet. */
    for (int i = 0; i < 100; i++)
        sched_yield();
    show("create_and_park", (double)(cpu_now() - began) / (double)parked);
    show("bytes", (double)(memory() - before) * 1024 / (double)parked);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The median of batches: in some of them other threads ran, on other carriers. */
static void wake_parked(void)
{
    long batch = parked < 1000 ? parked : 100, batches = parked / batch;
    double *figures = calloc((size_t)batches, sizeof *figures);

    bench_check(figures ? 0 : errno, "calloc");
    for (long i = 0; i < parked;) {
        uint64_t began = cpu_now();

        for (long last = i + batch; i < last && i < parked; i++) {
            __atomic_store_n(&words[i], 1, __ATOMIC_SEQ_CST);
            syscall(SYS_futex, &words[i], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        }
        if (i % batch == 0)
            figures[i / batch - 1] = (double)(cpu_now() - began) / (double)batch;
    }
    qsort(figures, (size_t)batches, sizeof *figures, compare);
    show("wake", figures[batches / 2]);
    free(figures);
    while (sem_wait(&all_resumed) != 0)
        continue;
}

/* All yield in turn, and count, while this one sleeps. */
static void measure_round(uint64_t target)
{
    struct timespec time = {(time_t)(target / 1000000000u), (long)(target % 1000000000u)};

    /* At least two rounds, at most a microsecond each. */
    if (target < (uint64_t)parked * 2000)
        time.tv_sec = parked * 2000 / 1000000000 + 1;
    go = 1;
    syscall(SYS_futex, &go, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    sched_yield();
    uint64_t began = cpu_now();
    long before = __atomic_load_n(&switches, __ATOMIC_RELAXED);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
    long counted = __atomic_load_n(&switches, __ATOMIC_RELAXED) - before;
    show("switch_round", (double)(cpu_now() - began) / (double)counted);
}

int main(int argc, char **argv)
{
    char *end;

    parked = argc == 2 || argc == 3 ? strtol(argv[1], &end, 10) : 0;
    if (parked < 1 || *end) {
        fprintf(stderr, "usage: %s PARKED [MILLISECONDS]\n", argv[0]);
        return 2;
    }
    uint64_t target = (argc == 3 ? strtoul(argv[2], NULL, 10) : 100) * 1000000u;

    words = calloc((size_t)parked, sizeof *words);
    bench_check(words ? 0 : errno, "calloc");
    bench_check(sem_init(&there, 0, 0) || sem_init(&back, 0, 0) || sem_init(&all_resumed, 0, 0) ||
                        pipe(ping) || pipe(pong)
                    ? errno
                    : 0,
                "start");
    start_parked();
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        measure(&operations[i], target);
    wake_parked();
    measure_round(target);
    fflush(stdout);
    _exit(0); /* the threads are many: the kernel ends them fastest */
}
