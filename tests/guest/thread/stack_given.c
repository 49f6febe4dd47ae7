// SPDX-License-Identifier: MIT
// Claims: a thread runs on the stack that pthread_attr_setstack gives it, may use nearly all of it while it
// blocks in between, and the memory is the program's again after the join.
#include <sched.h>
#include <sys/mman.h>
#include "guest.h"

#define SIZE  (4 << 20)
#define FRAME (64 << 10)

static char *stack;

static unsigned fill(int depth)
{
    unsigned char frame[FRAME];
    unsigned sum;

    CHECK((char *)frame >= stack && (char *)frame + FRAME <= stack + SIZE);
    memset(frame, depth, sizeof(frame));
    sched_yield();
    sum = depth > 0 ? fill(depth - 1) : 0;
    for (size_t i = 0; i < sizeof(frame); i++)
        sum += frame[i];
    return sum;
}

static void *body(void *argument)
{
    (void)argument;
    return (void *)(uintptr_t)fill(50);
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;

    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    for (int round = 0; round < 3; round++) {
        stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        CHECK(stack != MAP_FAILED);
        CHECK_EQUAL(pthread_attr_setstack(&attributes, stack, SIZE), 0);
        CHECK_EQUAL(pthread_create(&thread, &attributes, body, NULL), 0);
        uintptr_t sum = (uintptr_t)guest_join(thread);
        printf("sum: %lu\n", (unsigned long)sum);
        CHECK_EQUAL(sum, 50 * 51 / 2 * (uintptr_t)FRAME);
        memset(stack, 0xff, SIZE); // nobody else's
        CHECK_EQUAL(munmap(stack, SIZE), 0);
    }
    return guest_success();
}
