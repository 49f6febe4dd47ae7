// SPDX-License-Identifier: MIT
// Lengths beyond what a call can move: a read of 3 GiB from a pipe waits and returns the few bytes there
// are, of more than the address space EFAULT; a write of 4 GiB to /dev/null is cut at 2 GiB less a page.
#include "io.h"

static int fds[2];
static char small[100];
static volatile size_t three_gib = (size_t)3 << 30, four_gib = (size_t)4 << 30, too_much = SIZE_MAX,
                       half = INTPTR_MAX;

static void *reader(void *unused)
{
    blocks_next();
    CHECK(read(fds[0], small, three_gib) == 5);
    struct iovec piece = {small, three_gib};
    blocks_next();
    CHECK(readv(fds[0], &piece, 1) == 5);
    CHECK_FAILS(read(fds[0], small, too_much), EFAULT);
    CHECK_FAILS(read(fds[0], small, half), EFAULT);
    CHECK_FAILS(write(fds[1], small, too_much), EFAULT);
    return unused;
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(reader, NULL);
    for (int i = 1; i <= 2; i++) {
        wait_blocked(i);
        CHECK(write(fds[1], "hello", 5) == 5);
    }
    guest_join(thread);
    int null = open("/dev/null", O_WRONLY);
    printf("%zd\n", write(null, small, four_gib));
    return guest_success();
}
