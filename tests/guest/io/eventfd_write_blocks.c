// SPDX-License-Identifier: MIT
// A write that would overflow an eventfd waits until it is read; the forbidden value is EINVAL.
#include "io.h"
#include <sys/eventfd.h>

static int event;

static void *writer(void *unused)
{
    uint64_t value = 5;
    blocks_next();
    CHECK(write(event, &value, sizeof value) == sizeof value);
    return unused;
}

int main(void)
{
    uint64_t value = UINT64_MAX - 1;
    event = eventfd(0, 0);
    CHECK(write(event, &value, sizeof value) == sizeof value);
    pthread_t thread = guest_start(writer, NULL);
    wait_blocked(1);
    CHECK(read(event, &value, sizeof value) == sizeof value);
    CHECK(value == UINT64_MAX - 1);
    guest_join(thread);
    CHECK(read(event, &value, sizeof value) == sizeof value);
    printf("then %llu\n", (unsigned long long)value);
    value = UINT64_MAX;
    CHECK_FAILS(write(event, &value, sizeof value), EINVAL);
    return guest_success();
}
