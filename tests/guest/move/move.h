// SPDX-License-Identifier: MIT
// For programs that must not notice on which kernel thread they run: compiled with optimisation, they block
// or yield between the moment when something of the thread is computed (an address, an owner, a saved state)
// and the moment when it is used.
//
// Natively a thread never changes its kernel thread. Where threads are not kernel threads, GUEST_REPORT=FILE
// shows whether the programs did their work: it gets how often a thread came back on another one.
#ifndef GUEST_MOVE_H
#define GUEST_MOVE_H

#include "guest.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>

enum { MOVE_THREADS = 24, MOVE_ROUNDS = 600 };

struct mover {
    uint32_t random;
    int pipe[2];
    pthread_mutex_t *lock;
};

static long move_count; // atomic

// By the program's own instruction: what libc says is the thread's id, not the kernel's.
static inline long move_kernel_thread(void)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_gettid) : "rcx", "r11", "memory");
    return result;
}

static inline struct mover mover_begin(int seed)
{
    static pthread_mutex_t locks[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                       PTHREAD_MUTEX_INITIALIZER};
    struct mover mover;
    mover.random = (uint32_t)seed * 2654435761u + 1;
    mover.lock = &locks[(unsigned)seed % 3];
    CHECK(pipe(mover.pipe) == 0);
    return mover;
}

static inline void mover_end(struct mover *mover)
{
    close(mover->pipe[0]);
    close(mover->pipe[1]);
}

static inline uint32_t mover_random(struct mover *mover, uint32_t below)
{
    mover->random ^= mover->random << 13;
    mover->random ^= mover->random >> 17;
    mover->random ^= mover->random << 5;
    return mover->random % below;
}

static void *mover_writer(void *pipe)
{
    sched_yield();
    CHECK(write(((int *)pipe)[1], "m", 1) == 1);
    return NULL;
}

// Blocks or yields in one of several ways; none of them changes errno. A caller cannot know where it goes on.
static __attribute__((noinline)) void move(struct mover *mover)
{
    char byte;
    long before = move_kernel_thread();
    uint32_t way = mover_random(mover, 16);
    if (way < 6) {
        sched_yield();
    } else if (way < 11) {
        usleep(mover_random(mover, 300));
    } else if (way < 14) {
        pthread_mutex_lock(mover->lock);
        sched_yield();
        pthread_mutex_unlock(mover->lock);
    } else {
        pthread_t writer = guest_start(mover_writer, mover->pipe);
        CHECK(read(mover->pipe[0], &byte, 1) == 1 && byte == 'm');
        guest_join(writer);
    }
    if (move_kernel_thread() != before)
        __atomic_fetch_add(&move_count, 1, __ATOMIC_RELAXED);
}

// For the end of main.
static inline int move_success(void)
{
    const char *path = getenv("GUEST_REPORT");
    FILE *report = path ? fopen(path, "a") : NULL;
    if (report) {
        fprintf(report, "%s %ld\n", program_invocation_short_name,
                __atomic_load_n(&move_count, __ATOMIC_RELAXED));
        fclose(report);
    }
    return guest_success();
}

#endif
