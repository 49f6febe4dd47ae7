// SPDX-License-Identifier: MIT
// Claims: every operation of futex(2), with every flag, aligned and not, private and shared memory, values,
// counts, timeouts and bitsets that make sense or none, gives the result or error that it gives natively.
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "guest.h"

enum { OPERATIONS = 16, NO_TIME = 5 };

static uint32_t words[16];
static uint32_t *shared;
static const struct timespec times[NO_TIME] = {{0, 0}, {0, 1000000}, {-1, 0}, {0, -1}, {0, 1000000000}};

static bool takes_time(int operation)
{
    switch (operation) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_TRYLOCK_PI:
    case 13: // FUTEX_LOCK_PI2
        return true;
    default:
        return false;
    }
}

// What is made in the kernel by weft, too, or waits in a way of its own.
static bool left_out(int operation)
{
    return operation == FUTEX_WAIT_REQUEUE_PI || operation == FUTEX_CMP_REQUEUE_PI ||
           operation == 2; // FUTEX_FD
}

static void call(int operation, uint32_t *address, uint32_t value, int fourth, uint32_t bitset)
{
    const struct timespec *time = fourth == NO_TIME ? NULL : &times[fourth];
    bool waits_for_ever = takes_time(operation & FUTEX_CMD_MASK) && !time && value == 0;
    if (waits_for_ever && (operation & FUTEX_CMD_MASK) != FUTEX_TRYLOCK_PI)
        return;
    memset(words, 0, sizeof words);
    *shared = 0;
    errno = 0;
    long result = takes_time(operation & FUTEX_CMD_MASK)
                      ? syscall(SYS_futex, address, operation, value, time, &words[8], bitset)
                      : syscall(SYS_futex, address, operation, value, (long)fourth - 1, &words[8], bitset);
    printf(" %ld/%d/%x", result, result < 0 ? errno : 0, words[8]);
}

static void *body(void *unused)
{
    uint32_t *const addresses[] = {&words[0], (uint32_t *)((char *)&words[2] + 1), shared};
    const uint32_t values[] = {0, 1, UINT32_MAX};
    const int flags[] = {0, FUTEX_PRIVATE_FLAG, FUTEX_CLOCK_REALTIME,
                         FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME};
    for (int operation = 0; operation < OPERATIONS; operation++)
        for (int flag = 0; flag < 4 && !left_out(operation); flag++)
            for (int address = 0; address < 3; address++)
                for (int value = 0; value < 3; value++) {
                    printf("%d %x, word %d, value %d:", operation, (unsigned)flags[flag], address, value);
                    for (int fourth = 0; fourth <= NO_TIME; fourth++) {
                        call(operation | flags[flag], addresses[address], values[value], fourth, 0);
                        call(operation | flags[flag], addresses[address], values[value], fourth, UINT32_MAX);
                    }
                    puts("");
                }
    return unused;
}

int main(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    guest_join(guest_start(body, NULL));
    return guest_success();
}
