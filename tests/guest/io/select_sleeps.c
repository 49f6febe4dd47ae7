// SPDX-License-Identifier: MIT
// select and pselect without descriptors sleep for their time, and a zero timeout returns at once; a
// timeout that is not a time is EINVAL, a closed descriptor EBADF.
#include "io.h"
#include <sys/select.h>

static void *sleeper(void *argument)
{
    struct timeval timeout = {0, 30000}, bad = {0, -1}, zero = {0, 0};
    struct timespec nanoseconds = {0, 30000001}, bad_nanoseconds = {0, 1000000000};
    fd_set set;
    int64_t start = now();
    CHECK(select(0, NULL, NULL, NULL, &timeout) == 0);
    CHECK(now() - start >= 30 * GUEST_MILLISECOND);
    start = now();
    CHECK(pselect(0, NULL, NULL, NULL, &nanoseconds, NULL) == 0);
    CHECK(now() - start >= 30 * GUEST_MILLISECOND + 1);
    CHECK(select(0, NULL, NULL, NULL, &zero) == 0);
    CHECK_FAILS(select(0, NULL, NULL, NULL, &bad), EINVAL);
    CHECK_FAILS(pselect(0, NULL, NULL, NULL, &bad_nanoseconds, NULL), EINVAL);
    CHECK_FAILS(select(-1, NULL, NULL, NULL, &zero), EINVAL);
    FD_ZERO(&set);
    FD_SET(50, &set);
    CHECK_FAILS(select(51, &set, NULL, NULL, NULL), EBADF);
    CHECK(select(50, &set, NULL, NULL, &zero) == 0);
    return argument;
}

int main(void)
{
    printf("%ld\n", (long)guest_threads(4, sleeper));
    return guest_success();
}
