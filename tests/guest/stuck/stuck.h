// SPDX-License-Identifier: MIT
// For programs of this claim: while some threads are stuck in one kind of call, a hundred others go on, and
// afterwards the process has few kernel threads again.
//
// The progress is made of events. Fifty pairs of threads echo all the time. The stuck threads are released
// only after every pair has done STUCK_ROUNDS more rounds; so where one stuck thread stops the others, the
// program never ends. And the call must not return before its release, or nothing was shown.
//
// With GUEST_REPORT=FILE in the environment the numbers of kernel threads are appended there, for table.
#ifndef GUEST_STUCK_H
#define GUEST_STUCK_H

#include "io/io.h"
#include <dirent.h>
#include <stdbool.h>

enum { STUCK_PAIRS = 50, STUCK_ROUNDS = 20, STUCK_BYTES = 100 };

// One kind of being stuck. Only `block` runs in the threads that get stuck, each with an index from 0 on.
struct stuck {
    void (*prepare)(int threads); // before they start; may be NULL
    void (*block)(int index);     // returns after the release, never before
    void (*release)(int threads); // of all of them
};

static struct {
    pthread_t client, server;
    int fds[2];
    long rounds, wanted; // protected by stuck_lock
} stuck_pair[STUCK_PAIRS];

static pthread_mutex_t stuck_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stuck_all_passed = PTHREAD_COND_INITIALIZER;
static int stuck_lacking; // pairs that have not done the wanted rounds yet
static atomic_bool stuck_end, stuck_released;
static const struct stuck *stuck_kind;

static void *stuck_server(void *index)
{
    int fd = stuck_pair[(intptr_t)index].fds[1];
    char bytes[STUCK_BYTES];
    ssize_t count;
    while ((count = read(fd, bytes, sizeof bytes)) > 0)
        CHECK_EQUAL(write(fd, bytes, (size_t)count), count);
    CHECK_EQUAL(count, 0);
    return NULL;
}

static void *stuck_client(void *index)
{
    int i = (int)(intptr_t)index;
    unsigned char bytes[STUCK_BYTES];
    for (size_t start = 0; !atomic_load(&stuck_end); start++) {
        pattern_fill(bytes, sizeof bytes, start);
        CHECK_EQUAL(write(stuck_pair[i].fds[0], bytes, sizeof bytes), STUCK_BYTES);
        memset(bytes, 0, sizeof bytes);
        read_whole(stuck_pair[i].fds[0], bytes, sizeof bytes);
        pattern_check(bytes, sizeof bytes, start);
        pthread_mutex_lock(&stuck_lock);
        if (++stuck_pair[i].rounds == stuck_pair[i].wanted && --stuck_lacking == 0)
            pthread_cond_signal(&stuck_all_passed);
        pthread_mutex_unlock(&stuck_lock);
    }
    CHECK(shutdown(stuck_pair[i].fds[0], SHUT_WR) == 0);
    return NULL;
}

static inline void stuck_echo_start(void)
{
    for (int i = 0; i < STUCK_PAIRS; i++) {
        if (i % 2)
            tcp_pair(stuck_pair[i].fds);
        else
            unix_pair(SOCK_STREAM, stuck_pair[i].fds);
        stuck_pair[i].server = guest_start(stuck_server, (void *)(intptr_t)i);
        stuck_pair[i].client = guest_start(stuck_client, (void *)(intptr_t)i);
    }
}

// Waits until every pair has done STUCK_ROUNDS rounds from now on.
static inline void stuck_echo_pass(void)
{
    pthread_mutex_lock(&stuck_lock);
    stuck_lacking = STUCK_PAIRS;
    for (int i = 0; i < STUCK_PAIRS; i++)
        stuck_pair[i].wanted = stuck_pair[i].rounds + STUCK_ROUNDS;
    while (stuck_lacking > 0)
        pthread_cond_wait(&stuck_all_passed, &stuck_lock);
    pthread_mutex_unlock(&stuck_lock);
}

static inline void stuck_echo_stop(void)
{
    atomic_store(&stuck_end, true);
    for (int i = 0; i < STUCK_PAIRS; i++) {
        guest_join(stuck_pair[i].client);
        guest_join(stuck_pair[i].server);
        close(stuck_pair[i].fds[0]);
        close(stuck_pair[i].fds[1]);
    }
}

static inline int stuck_cpus(void)
{
    cpu_set_t set;
    CHECK_EQUAL(sched_getaffinity(0, sizeof set, &set), 0);
    return CPU_COUNT(&set);
}

// What may be left when nobody is stuck: for each CPU one that works and one that waits to help, and a few.
#define STUCK_KERNEL_THREADS (2 * stuck_cpus() + 4)

static inline int stuck_kernel_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    CHECK(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    CHECK(closedir(tasks) == 0);
    return count;
}

// All threads but this one are joined. A kernel thread is counted for a moment longer, and nothing says when
// it is gone; so this looks again and again, for ten seconds.
static inline int stuck_settle(int most)
{
    int count;
    for (int64_t start = now(); (count = stuck_kernel_threads()) > most; usleep(1000))
        if (now() - start > 10 * GUEST_SECOND)
            break;
    return count;
}

static inline void stuck_report(int before, int during, int after)
{
    const char *path = getenv("GUEST_REPORT");
    FILE *report = path ? fopen(path, "a") : NULL;
    if (report)
        fprintf(report, "%s %d %d %d\n", program_invocation_short_name, before, during, after);
    if (report)
        fclose(report);
}

static void *stuck_thread(void *index)
{
    blocks_next();
    stuck_kind->block((int)(intptr_t)index);
    CHECK(atomic_load(&stuck_released));
    return NULL;
}

// One cycle for each number of threads; the body of main.
static inline int stuck_run_counts(const struct stuck *kind, const int *counts, int cycles)
{
    int before, during = 0, stuck = 0;
    stuck_kind = kind;
    stuck_echo_start();
    stuck_echo_pass();
    before = stuck_kernel_threads();
    for (int cycle = 0; cycle < cycles; cycle++) {
        int threads = counts[cycle];
        pthread_t *thread = calloc((size_t)threads, sizeof *thread);
        CHECK(thread != NULL);
        atomic_store(&stuck_released, false);
        if (kind->prepare)
            kind->prepare(threads);
        for (int i = 0; i < threads; i++)
            thread[i] = guest_start(stuck_thread, (void *)(intptr_t)i);
        wait_blocked(stuck += threads);
        stuck_echo_pass();
        int seen = stuck_kernel_threads();
        during = seen > during ? seen : during;
        atomic_store(&stuck_released, true);
        kind->release(threads);
        for (int i = 0; i < threads; i++)
            guest_join(thread[i]);
        free(thread);
        stuck_echo_pass();
    }
    stuck_echo_stop();
    int most = STUCK_KERNEL_THREADS, after = stuck_settle(most);
    stuck_report(before, during, after);
    if (after > most)
        CHECK_EQUAL(after, most);
    printf("%d cycles: the others went on\n", cycles);
    return guest_success();
}

enum { STUCK_FEW = 4 }; // the most threads that stuck_run has stuck at a time

static inline int stuck_run(const struct stuck *kind)
{
    static const int counts[] = {1, STUCK_FEW, 1, STUCK_FEW};
    return stuck_run_counts(kind, counts, sizeof counts / sizeof *counts);
}

// For threads that compute: first as many as CPUs, then one more than twice that.
static inline int stuck_run_hogs(const struct stuck *kind)
{
    int counts[] = {1, stuck_cpus(), 2 * stuck_cpus() + 1};
    return stuck_run_counts(kind, counts, 3);
}

#endif
