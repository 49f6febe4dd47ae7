// SPDX-License-Identifier: MIT
// Claims: the newer futex calls give the results and errors that they give natively for every flag, aligned
// words and others, bad pointers, values and masks of more than 32 bits, counts, times, clocks and vectors.
#include <sys/mman.h>
#include "futex2.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint32_t words[8], *shared;
static char *hole; // not readable

static void print(long result)
{
    printf(" %ld/%d", result, result < 0 ? errno : 0);
}

static void *some_address(unsigned i)
{
    void *const addresses[] = {
        words,         (char *)words + 2,  (char *)words + 1, shared, NULL, (void *)4, hole, (char *)hole + 2,
        (void *)-4096, (void *)(1ul << 60)};
    return i < COUNT(addresses) ? addresses[i] : MAP_FAILED;
}

static const unsigned long values[] = {0, 1, UINT32_MAX, 1ul << 32, -1ul};
static const struct timespec times[] = {{0, 0}, {0, 1}, {-1, 0}, {0, -1}, {0, 1000000000}};
static const long clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, -1};
static const unsigned some_flags[] = {U32, U32_PRIVATE, 0, 1, 3, 0x10 | U32, 0x40 | U32, 0x80000000 | U32};

static void wakes(void)
{
    for (unsigned flags = 0; flags < 0x200; flags++)
        if (!(flags & 0xc)) { // NUMA nodes and memory policies came later
            printf("wake, flags %x:", flags);
            print(syscall(CALL_WAKE, words, 1UL, 1L, (long)flags));
            puts("");
        }
    for (unsigned a = 0; some_address(a) != MAP_FAILED; a++)
        for (unsigned flags = 0; flags < COUNT(some_flags); flags++) {
            printf("wake, address %u, flags %x:", a, some_flags[flags]);
            for (unsigned mask = 0; mask < COUNT(values); mask++)
                for (int count = -1; count < 2; count++)
                    print(syscall(CALL_WAKE, some_address(a), values[mask], (long)count,
                                  (long)some_flags[flags]));
            puts("");
        }
}

// With a time that is over: nothing waits.
static void waits(void)
{
    for (unsigned a = 0; some_address(a) != MAP_FAILED; a++)
        for (unsigned flags = 0; flags < COUNT(some_flags); flags++)
            for (unsigned time = 0; time <= COUNT(times); time++) {
                const void *timeout = time < COUNT(times) ? &times[time] : (const void *)hole;
                printf("wait, address %u, flags %x, time %u:", a, some_flags[flags], time);
                for (unsigned value = 0; value < COUNT(values); value++)
                    for (unsigned mask = 0; mask < COUNT(values); mask++)
                        for (unsigned clock = 0; clock < COUNT(clocks); clock++)
                            print(syscall(CALL_WAIT, some_address(a), values[value], values[mask],
                                          (long)some_flags[flags], timeout, clocks[clock]));
                puts("");
            }
}

static void vectors(void)
{
    static const long counts[] = {0, 1, 3, 128, 129, -1};
    static struct waitv many[130];
    for (unsigned time = 0; time < COUNT(times); time++)
        for (unsigned count = 0; count < COUNT(counts); count++)
            for (unsigned clock = 0; clock < COUNT(clocks); clock++) {
                for (int i = 0; i < 130; i++)
                    many[i] = waitv_of(&words[i % 8], 0, i % 2 ? U32 : U32_PRIVATE);
                printf("vector, time %u, count %ld, clock %ld:", time, counts[count], clocks[clock]);
                for (long flags = 0; flags < 2; flags++)
                    print(syscall(CALL_WAITV, many, counts[count], flags, &times[time], clocks[clock]));
                print(syscall(CALL_WAITV, NULL, counts[count], 0L, &times[time], clocks[clock]));
                print(syscall(CALL_WAITV, hole, counts[count], 0L, &times[time], clocks[clock]));
                print(syscall(CALL_WAITV, many, counts[count], 0L, hole, clocks[clock]));
                many[2].value = 1;
                print(syscall(CALL_WAITV, many, counts[count], 0L, &times[time], clocks[clock]));
                puts("");
            }
    for (unsigned odd = 0; odd < 2; odd++)
        for (unsigned a = 0; some_address(a) != MAP_FAILED; a++)
            for (unsigned flags = 0; flags < COUNT(some_flags); flags++) {
                printf("vector, odd %u, address %u, flags %x:", odd, a, some_flags[flags]);
                for (unsigned value = 0; value < COUNT(values); value++)
                    for (unsigned reserved = 0; reserved < 2; reserved++) {
                        struct waitv pair[2] = {waitv_of(words, 0, U32_PRIVATE),
                                                waitv_of(words, 0, U32_PRIVATE)};
                        pair[odd] = (struct waitv){values[value], (uintptr_t)some_address(a),
                                                   some_flags[flags], reserved};
                        print(syscall(CALL_WAITV, pair, 2L, 0L, &times[0], (long)CLOCK_MONOTONIC));
                        pair[1 - odd].value = 1;
                        print(syscall(CALL_WAITV, pair, 2L, 0L, &times[0], (long)CLOCK_MONOTONIC));
                    }
                puts("");
            }
}

static void requeues(void)
{
    for (unsigned odd = 0; odd < 2; odd++)
        for (unsigned a = 0; some_address(a) != MAP_FAILED; a++)
            for (unsigned flags = 0; flags < COUNT(some_flags); flags++) {
                printf("requeue, odd %u, address %u, flags %x:", odd, a, some_flags[flags]);
                for (unsigned value = 0; value < COUNT(values); value++)
                    for (uint32_t same = 0; same < 2; same++)
                        for (int counts = 0; counts < 9; counts++) {
                            struct waitv pair[2];
                            pair[1 - odd] = waitv_of(&words[4], 0, same ? some_flags[flags] : U32_PRIVATE);
                            pair[odd] = (struct waitv){values[value], (uintptr_t)some_address(a),
                                                       some_flags[flags], 0};
                            print(syscall(CALL_REQUEUE, pair, 0L, counts / 3 - 1L, counts % 3 - 1L));
                        }
                puts("");
            }
    struct waitv pair[2] = {waitv_of(words, 0, U32_PRIVATE), waitv_of(words, 0, U32_PRIVATE)};
    print(syscall(CALL_REQUEUE, pair, 1L, 1L, 1L));
    print(syscall(CALL_REQUEUE, NULL, 0L, 1L, 1L));
    print(syscall(CALL_REQUEUE, hole, 0L, 1L, 1L));
    pair[1].reserved = 1;
    print(syscall(CALL_REQUEUE, pair, 0L, 1L, 1L));
    puts("");
}

static void *body(void *unused)
{
    wakes();
    waits();
    vectors();
    requeues();
    return unused;
}

int main(void)
{
    skip_without_futex2();
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED && hole != MAP_FAILED);
    guest_join(guest_start(body, NULL));
    return guest_success();
}
