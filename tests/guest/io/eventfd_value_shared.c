// SPDX-License-Identifier: MIT
// Several readers of one eventfd: the sum of what they got is the sum of what was written.
#include "io.h"
#include <sys/eventfd.h>

enum { READERS = 4, WRITES = 2000 };

static int event;
static atomic_ulong total;

static void *reader(void *unused)
{
    uint64_t value;
    do {
        CHECK(read(event, &value, sizeof value) == sizeof value && value > 0);
        atomic_fetch_add(&total, value % 1000000);
    } while (value < 1000000);
    value -= value % 1000000 + 1000000; /* one reader less to stop */
    if (value > 0)
        CHECK(write(event, &value, sizeof value) == sizeof value);
    return unused;
}

int main(void)
{
    pthread_t thread[READERS];
    uint64_t one = 1, stop = (uint64_t)READERS * 1000000;
    event = eventfd(0, 0);
    for (int i = 0; i < READERS; i++)
        thread[i] = guest_start(reader, NULL);
    for (int i = 0; i < WRITES; i++)
        CHECK(write(event, &one, sizeof one) == sizeof one);
    CHECK(write(event, &stop, sizeof stop) == sizeof stop);
    for (int i = 0; i < READERS; i++)
        guest_join(thread[i]);
    printf("%lu\n", total);
    return guest_success();
}
