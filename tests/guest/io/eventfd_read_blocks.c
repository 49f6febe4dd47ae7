// SPDX-License-Identifier: MIT
// A read of an eventfd that is 0 waits for a write and takes the whole value.
#include "io.h"
#include <sys/eventfd.h>

static int event;

static void *reader(void *unused)
{
    for (int i = 0; i < 3; i++) {
        uint64_t value;
        blocks_next();
        CHECK(read(event, &value, sizeof value) == sizeof value);
        printf("%llu\n", (unsigned long long)value);
    }
    return unused;
}

int main(void)
{
    event = eventfd(0, 0);
    CHECK(event >= 0);
    pthread_t thread = guest_start(reader, NULL);
    for (int i = 1; i <= 3; i++) {
        uint64_t value = (uint64_t)i * 1000000007;
        wait_blocked(i);
        CHECK(write(event, &value, sizeof value) == sizeof value);
    }
    guest_join(thread);
    return guest_success();
}
