// SPDX-License-Identifier: MIT
// Claims: pthread_create hands its argument over and pthread_join hands back what the thread returned,
// whatever pointer value it is, in any order of joining.
#include "guest.h"

#define THREADS 64

static void *square(void *argument)
{
    intptr_t value = (intptr_t)argument;
    return (void *)(value * value);
}

static void *same(void *argument)
{
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];
    intptr_t sum = 0;

    for (intptr_t i = 0; i < THREADS; i++)
        threads[i] = guest_start(square, (void *)i);
    for (intptr_t i = THREADS - 1; i >= 0; i--) {
        intptr_t result = (intptr_t)guest_join(threads[i]);
        CHECK_EQUAL(result, i * i);
        sum += result;
    }
    printf("sum of squares: %ld\n", (long)sum);

    int local;
    void *values[] = {NULL, &local, (void *)same, (void *)INTPTR_MIN, (void *)-1, (void *)0x5a5a5a5a5a5a5a5a};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        CHECK(guest_join(guest_start(same, values[i])) == values[i]);

    CHECK_EQUAL(pthread_join(guest_start(same, &local), NULL), 0);
    return guest_success();
}
