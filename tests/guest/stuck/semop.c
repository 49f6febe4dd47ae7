// SPDX-License-Identifier: MIT
// Threads wait in semop for a System V semaphore; a hundred others go on.
#include "stuck.h"
#include <sys/ipc.h>
#include <sys/sem.h>

static int semaphore;

static void block(int index)
{
    struct sembuf down = {0, -1, 0};
    (void)index;
    CHECK(semop(semaphore, &down, 1) == 0);
}

static void release(int threads)
{
    struct sembuf up = {0, (short)threads, 0};
    CHECK(semop(semaphore, &up, 1) == 0);
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    semaphore = semget(IPC_PRIVATE, 1, 0600);
    CHECK(semaphore >= 0 && semctl(semaphore, 0, SETVAL, 0) == 0);
    int result = stuck_run(&kind);
    CHECK(semctl(semaphore, 0, IPC_RMID) == 0);
    return result;
}
