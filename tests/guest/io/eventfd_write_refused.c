// SPDX-License-Identifier: MIT
// An eventfd that is full refuses at once what it would refuse anyhow: less than 8 bytes, the value 2^64-1,
// an address that is not readable. One by one, writev's parts are written until one would block.
#include "io.h"

#include <sys/eventfd.h>

static int event;
static const void *volatile nowhere = (void *)8;

static void *writer(void *unused)
{
    uint64_t one = 1, most = UINT64_MAX;
    const struct iovec parts[2] = {{&one, sizeof one}, {&most, sizeof most}};
    blocks_next();
    CHECK_EQUAL(writev(event, parts, 2), sizeof one); // the second part is refused
    return unused;
}

int main(void)
{
    uint64_t value = UINT64_MAX - 1;
    alarm(20);
    become_threaded();
    event = eventfd(0, 0);
    CHECK(event >= 0 && write(event, &value, sizeof value) == sizeof value);
    CHECK_FAILS(write(event, "abc", 3), EINVAL);
    value = UINT64_MAX;
    CHECK_FAILS(write(event, &value, sizeof value), EINVAL);
    CHECK_FAILS(write(event, nowhere, sizeof value), EFAULT);
    pthread_t thread = guest_start(writer, NULL);
    wait_blocked(1);
    CHECK(read(event, &value, sizeof value) == sizeof value && value == UINT64_MAX - 1);
    guest_join(thread);
    CHECK(read(event, &value, sizeof value) == sizeof value && value == 1);
    return guest_success();
}
