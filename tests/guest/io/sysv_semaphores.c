// SPDX-License-Identifier: MIT
// SysV semaphores between threads: semop waits for a value, also for zero, and takes several at once;
// semtimedop ends with EAGAIN, not before its time.
#include "io.h"
#include <sys/ipc.h>
#include <sys/sem.h>

static int set;
static volatile int count, inside;

static void change(int number, int by)
{
    struct sembuf operation = {(unsigned short)number, (short)by, 0};
    CHECK(semop(set, &operation, 1) == 0);
}

static void *user(void *unused)
{
    for (int i = 0; i < 50; i++) {
        change(0, -1);
        CHECK(inside == 0);
        inside = 1;
        int old = count;
        sched_yield();
        count = old + 1;
        inside = 0;
        change(0, 1);
    }
    change(1, -1);
    return unused;
}

int main(void)
{
    struct sembuf take = {0, -5, 0};
    struct timespec time = {0, 30000000};
    pthread_t thread[4];
    set = semget(IPC_PRIVATE, 2, 0600);
    if (set < 0 && errno == ENOSYS) {
        puts("no SysV semaphores here");
        return 77;
    }
    CHECK(set >= 0);
    change(1, 4);
    for (int i = 0; i < 4; i++)
        thread[i] = guest_start(user, NULL);
    yield_some(100);
    change(0, 1);
    change(1, 0); /* waits until all four have passed */
    CHECK(count == 200);
    for (int i = 0; i < 4; i++)
        guest_join(thread[i]);
    int64_t start = now();
    CHECK_FAILS(semtimedop(set, &take, 1, &time), EAGAIN);
    CHECK(now() - start >= 30 * GUEST_MILLISECOND);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
    printf("%d\n", count);
    return guest_success();
}
