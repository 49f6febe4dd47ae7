// SPDX-License-Identifier: MIT
// One blocking write of 8 MiB to a pipe with a slow reader returns the full count.
#include "whole.h"

static int fds[2];

static void *writer(void *unused)
{
    pattern_fill(whole_data, WHOLE, 0);
    CHECK(write(fds[1], whole_data, WHOLE) == WHOLE);
    CHECK(close(fds[1]) == 0);
    return unused;
}

int main(void)
{
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(writer, NULL);
    printf("read %zu\n", whole_read(fds[0]));
    guest_join(thread);
    return guest_success();
}
