// SPDX-License-Identifier: MIT
// Threads that guard the end of their stack themselves, as those of a Java machine do: mapped anew and made
// inaccessible, opened by the handler of the fault, closed again, and left without access by those who end.
// What was in the pages is there when they are opened. The next threads, on the same stacks, find what they
// ask for.
#include "stack_end.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

enum {
    PAGE = 4096,
    ZONE = 4 * PAGE,
    STACK = 1024 * 1024,
    LARGE = 48 * STACK,
    THREADS = 12,
    ROUNDS = 3,
    ALTERNATE = 65536
};

static __thread sigjmp_buf back;
static __thread char *zone;
static __thread int faults;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    char *address = (char *)info->si_addr;
    CHECK(address >= zone && address < zone + ZONE);
    CHECK_EQUAL(mprotect(zone + PAGE, ZONE - PAGE, PROT_READ | PROT_WRITE), 0);
    faults++;
    siglongjmp(back, 1);
}

__attribute__((noinline)) static int deeper(int depth)
{
    volatile char room[1000];
    room[0] = (char)depth;
    return depth > 1000000 ? 0 : deeper(depth + 1) + room[0];
}

static void *guard_oneself(void *unused)
{
    stack_t alternate = {.ss_sp = malloc(ALTERNATE), .ss_size = ALTERNATE};
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
    zone = stack_lowest(STACK);
    CHECK(mmap(zone, ZONE, PROT_READ | PROT_WRITE, flags, -1, 0) == zone);
    for (int i = 0; i < ZONE; i += PAGE)
        CHECK(zone[i] == 0);
    zone[2 * PAGE] = 'z';
    CHECK_EQUAL(mprotect(zone, ZONE, PROT_NONE), 0);
    for (int i = 1; i <= 3; i++) {
        if (sigsetjmp(back, 1) == 0)
            deeper(0);
        CHECK_EQUAL(faults, i);
        CHECK(zone[2 * PAGE] == 'z');
        CHECK_EQUAL(mprotect(zone + PAGE, ZONE - PAGE, PROT_NONE), 0);
        usleep(1000);
    }
    CHECK(mmap(zone, ZONE, PROT_NONE, flags | MAP_NORESERVE, -1, 0) == zone);
    alternate.ss_flags = SS_DISABLE;
    CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
    free(alternate.ss_sp);
    return unused;
}

// A stack that is too large to be kept by libc: each thread has a new one.
static void *bar_the_end(void *unused)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    char *low = stack_lowest(LARGE);
    memset(low, 'b', ZONE);
    CHECK(mmap(low, ZONE, PROT_NONE, flags, -1, 0) == low);
    return unused;
}

// The guard that libc has made, below the stack, becomes a page like others.
static void *open_the_guard(void *unused)
{
    char *guard = stack_lowest(STACK) - PAGE;
    CHECK_EQUAL(mprotect(guard, PAGE, PROT_READ | PROT_WRITE), 0);
    memset(guard, 'g', PAGE);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    pthread_attr_t attributes;
    pthread_t threads[THREADS];
    CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, STACK), 0);
    CHECK_EQUAL(pthread_attr_setguardsize(&attributes, 0), 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < THREADS; i++)
            CHECK_EQUAL(pthread_create(&threads[i], &attributes, guard_oneself, NULL), 0);
        for (int i = 0; i < THREADS; i++)
            guest_join(threads[i]);
    }
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, LARGE), 0);
    for (int round = 0; round < ROUNDS; round++) {
        CHECK_EQUAL(pthread_create(&threads[0], &attributes, bar_the_end, NULL), 0);
        guest_join(threads[0]);
    }
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, STACK), 0);
    CHECK_EQUAL(pthread_attr_setguardsize(&attributes, PAGE), 0);
    if (!__GLIBC_PREREQ(2, 42)) { // from then on guards are markers natively, too, which mprotect leaves
        CHECK_EQUAL(pthread_create(&threads[0], &attributes, open_the_guard, NULL), 0);
        guest_join(threads[0]);
    }
    return guest_success();
}
