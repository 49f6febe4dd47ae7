// SPDX-License-Identifier: MIT
// Ten threads open a FIFO of their own for reading and block; a writer opens them in reverse order and
// each gets its word.
#include "io.h"

static void *reader(void *argument)
{
    char name[20];
    int self = (int)(intptr_t)argument, number;
    snprintf(name, sizeof name, "fifo-%d", self);
    CHECK(mkfifo(name, 0600) == 0);
    blocks_next();
    int fd = open(name, O_RDONLY);
    CHECK(fd >= 0);
    read_whole(fd, &number, sizeof number);
    CHECK(number == self && close(fd) == 0 && unlink(name) == 0);
    return argument;
}

int main(void)
{
    pthread_t thread[10];
    intptr_t sum = 0;
    for (int i = 0; i < 10; i++)
        thread[i] = guest_start(reader, (void *)(intptr_t)i);
    wait_blocked(10);
    for (int i = 9; i >= 0; i--) {
        char name[20];
        snprintf(name, sizeof name, "fifo-%d", i);
        int fd = open(name, O_WRONLY);
        CHECK(fd >= 0 && write(fd, &i, sizeof i) == sizeof i && close(fd) == 0);
    }
    for (int i = 0; i < 10; i++)
        sum += (intptr_t)guest_join(thread[i]);
    printf("%ld\n", (long)sum);
    return guest_success();
}
