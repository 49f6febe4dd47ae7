// SPDX-License-Identifier: MIT
// Threads wait for a pipe in a system call made by the program's own instruction, outside libc; a hundred
// others go on.
#include "stuck.h"
#include <sys/syscall.h>

static int fds[2];

static void block(int index)
{
    char byte = 0;
    long result;
    (void)index;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_read), "D"((long)fds[0]), "S"(&byte), "d"(1l)
                     : "rcx", "r11", "memory");
    CHECK(result == 1 && byte == 'r');
}

static void release(int threads)
{
    while (threads-- > 0)
        CHECK(write(fds[1], "r", 1) == 1);
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    CHECK(pipe(fds) == 0);
    return stuck_run(&kind);
}
