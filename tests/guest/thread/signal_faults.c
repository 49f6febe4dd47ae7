// SPDX-License-Identifier: MIT
// Claims: SIGSEGV, SIGFPE, SIGILL, SIGBUS and SIGTRAP come to the thread that caused them, with their
// address, while other threads fault too; siglongjmp recovers, and a handler that removes the cause may
// return.
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include "guest.h"

#define THREADS 6
#define ROUNDS  20

static __thread sigjmp_buf place;
static __thread void *volatile address;
static __thread char *volatile repaired;
static int file;

static void handle(int number, siginfo_t *info, void *context)
{
    (void)context;
    address = info->si_addr;
    if (number == SIGSEGV && repaired) {
        CHECK_EQUAL(mprotect(repaired, 4096, PROT_READ | PROT_WRITE), 0);
        return;
    }
    if (number != SIGTRAP)
        siglongjmp(place, number);
}

static int fault(int way, char *pages)
{
    int number = sigsetjmp(place, 1);
    if (number)
        return number;
    switch (way) {
    case 0:
        ((volatile char *)pages)[way] = 1;
        break;
    case 1:
        __asm__ volatile("divl %0" : : "r"(0) : "eax", "edx", "cc");
        break;
    case 2:
        __asm__ volatile("ud2");
        break;
    case 3:
        ((volatile char *)pages)[4096] = 1; // behind the end of the file
        break;
    case 4:
        __asm__ volatile("int3");
        return SIGTRAP;
    case 5:
        *(volatile char *)0x8000000000000000 = 1; // no address at all
        break;
    }
    return 0;
}

static void *body(void *index)
{
    static const int expected[] = {SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP, SIGSEGV};
    char *closed = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(closed != MAP_FAILED && mapped != MAP_FAILED);
    for (int i = 0; i < ROUNDS; i++) {
        int way = (int)((intptr_t)index + i) % 6;
        CHECK_EQUAL(fault(way, way == 3 ? mapped : closed), expected[way]);
        if (way == 0)
            CHECK(address == closed);
        if (way == 3)
            CHECK(address == mapped + 4096);
        usleep(50);
    }
    repaired = closed;
    closed[5] = 6;
    CHECK(closed[5] == 6 && address == closed + 5);
    return (void *)1;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    static const int numbers[] = {SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP};

    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(sigaction(numbers[i], &action, NULL), 0);
    file = memfd_create("file", 0);
    CHECK_EQUAL(ftruncate(file, 4096), 0);
    printf("threads: %ld\n", (long)guest_threads(THREADS, body));
    return guest_success();
}
