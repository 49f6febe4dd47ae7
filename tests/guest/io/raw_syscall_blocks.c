// SPDX-License-Identifier: MIT
// A system call made by the program's own instruction, outside libc, blocks its thread alone: the others
// go on and end the wait.
#include "io.h"
#include <sys/syscall.h>

static int fds[2];

static long raw(long number, long a, void *b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static void *reader(void *unused)
{
    char byte;
    blocks_next();
    CHECK(raw(SYS_read, fds[0], &byte, 1) == 1 && byte == 'r');
    return unused;
}

int main(void)
{
    pthread_t thread[4];
    CHECK(pipe(fds) == 0);
    for (int i = 0; i < 4; i++)
        thread[i] = guest_start(reader, NULL);
    wait_blocked(4);
    for (int i = 0; i < 4; i++)
        CHECK(write(fds[1], "r", 1) == 1);
    for (int i = 0; i < 4; i++)
        guest_join(thread[i]);
    puts("four raw reads");
    return guest_success();
}
