// SPDX-License-Identifier: MIT
// Claims: sleep sort sorts. As a busy machine may delay a native thread by more than the step between two
// values, it has twenty attempts; a scheduler that ignored deadlines would need thousands.
#include "guest.h"

#define COUNT 8
#define STEP  (4 * GUEST_MILLISECOND)

static const int values[COUNT] = {5, 2, 7, 1, 8, 3, 6, 4};
static int sorted[COUNT], used;
static int64_t base;

static void *body(void *index)
{
    int value = values[(intptr_t)index];
    int64_t delay = base + value * STEP - guest_now(CLOCK_MONOTONIC);
    struct timespec time = guest_timespec(delay > 0 ? delay : 0);
    CHECK_EQUAL(nanosleep(&time, NULL), 0);
    sorted[__atomic_fetch_add(&used, 1, __ATOMIC_SEQ_CST)] = value;
    return NULL;
}

int main(void)
{
    int in_order = 0;

    for (int attempt = 0; attempt < 20 && !in_order; attempt++) {
        used = 0;
        base = guest_now(CLOCK_MONOTONIC);
        guest_threads(COUNT, body);
        in_order = 1;
        for (int i = 0; i < COUNT; i++)
            in_order &= sorted[i] == i + 1;
    }
    CHECK(in_order);
    for (int i = 0; i < COUNT; i++)
        printf("%d%c", sorted[i], i + 1 < COUNT ? ' ' : '\n');
    return guest_success();
}
