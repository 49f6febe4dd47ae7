// SPDX-License-Identifier: MIT
// A thread that has given up root but kept it as the saved user id takes it back: as the effective id of all
// threads, and nothing else of any. Needs root, else it is skipped.
#include "guest.h"

enum { THREADS = 8, ROUNDS = 10, NOBODY = 65534 };

static pthread_barrier_t turn;

static void check_ids(uid_t real, uid_t effective, uid_t saved)
{
    uid_t ids[3];
    CHECK_EQUAL(getresuid(&ids[0], &ids[1], &ids[2]), 0);
    CHECK_EQUAL(ids[0], real);
    CHECK_EQUAL(ids[1], effective);
    CHECK_EQUAL(ids[2], saved);
}

// All threads see what one of them did, in each of these steps.
static void *take_turns(void *index)
{
    for (int round = 0; round < ROUNDS; round++) {
        int who = (int)(intptr_t)index - round % THREADS;
        if (who == 0)
            CHECK_EQUAL(setresuid(NOBODY, NOBODY, 0), 0);
        pthread_barrier_wait(&turn);
        check_ids(NOBODY, NOBODY, 0);
        pthread_barrier_wait(&turn);
        if (who == 1 || who == 1 - THREADS)
            CHECK_EQUAL(setuid(0), 0);
        pthread_barrier_wait(&turn);
        check_ids(NOBODY, 0, 0);
        pthread_barrier_wait(&turn);
        if (who == 0)
            CHECK_EQUAL(setresuid(0, 0, 0), 0);
        pthread_barrier_wait(&turn);
    }
    if ((intptr_t)index == 0) {
        CHECK_EQUAL(setuid(NOBODY), 0);
        CHECK(setuid(0) < 0 && errno == EPERM);
    }
    pthread_barrier_wait(&turn);
    check_ids(NOBODY, NOBODY, NOBODY);
    return index;
}

int main(void)
{
    if (geteuid() != 0) {
        puts("not root");
        return 77;
    }
    CHECK_EQUAL(pthread_barrier_init(&turn, NULL, THREADS), 0);
    guest_threads(THREADS, take_turns);
    return guest_success();
}
