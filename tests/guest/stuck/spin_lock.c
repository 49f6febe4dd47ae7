// SPDX-License-Identifier: MIT
// More threads than CPUs spin for a lock whose holder waits for a pipe; a hundred others go on, and so does
// the holder.
#include "stuck.h"

static pthread_spinlock_t lock;
static int gate[2], held[2], inside;
static pthread_t holder;

static void *hold(void *unused)
{
    char byte;
    CHECK_EQUAL(pthread_spin_lock(&lock), 0);
    CHECK(write(held[1], "h", 1) == 1);
    CHECK(read(gate[0], &byte, 1) == 1);
    CHECK_EQUAL(pthread_spin_unlock(&lock), 0);
    return unused;
}

static void prepare(int threads)
{
    char byte;
    (void)threads;
    holder = guest_start(hold, NULL);
    CHECK(read(held[0], &byte, 1) == 1);
}

static void block(int index)
{
    (void)index;
    CHECK_EQUAL(pthread_spin_lock(&lock), 0);
    CHECK_EQUAL(inside++, 0);
    inside--;
    CHECK_EQUAL(pthread_spin_unlock(&lock), 0);
}

static void release(int threads)
{
    (void)threads;
    CHECK(write(gate[1], "g", 1) == 1);
    guest_join(holder);
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    CHECK(pipe(gate) == 0 && pipe(held) == 0);
    CHECK_EQUAL(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE), 0);
    return stuck_run_hogs(&kind);
}
