// SPDX-License-Identifier: MIT
// A read on an empty pipe waits for the writer, returns what there is and not the length asked for, and 0
// at the end as often as it is asked.
#include "io.h"

static int pipe_fd[2];

static void *reader(void *unused)
{
    char text[100];
    for (;;) {
        blocks_next();
        ssize_t count = read(pipe_fd[0], text, sizeof text);
        CHECK(count >= 0);
        if (count == 0)
            break;
        printf("read %zd: %.*s\n", count, (int)count, text);
    }
    for (int i = 0; i < 3; i++)
        CHECK(read(pipe_fd[0], text, sizeof text) == 0);
    return unused;
}

int main(void)
{
    CHECK(pipe(pipe_fd) == 0);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(write(pipe_fd[1], "hello", 5) == 5);
    wait_blocked(2);
    CHECK(write(pipe_fd[1], "once more", 9) == 9);
    wait_blocked(3);
    CHECK(close(pipe_fd[1]) == 0);
    guest_join(thread);
    return guest_success();
}
