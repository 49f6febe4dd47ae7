// SPDX-License-Identifier: MIT
/*
 * The demo's echo server in a process in which THREADS other threads read cold files all the time: each its
 * own file of 4 MiB in DIRECTORY, dropped from the page cache before it is read again. latency runs it.
 *
 *     bench_echo_with_readers THREADS DIRECTORY PORT
 */
#define main echo_server
#include "../../demo/echo_server.c"
#undef main

#include "bench.h"

#include <fcntl.h>

enum { FILE_SIZE = 4 << 20, PIECE = 64 << 10 };

static int create(const char *directory, long number)
{
    static const char piece[PIECE];
    char path[4096];

    snprintf(path, sizeof path, "%s/file%ld", directory, number);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    bench_check(fd < 0 ? errno : 0, path);
    for (size_t done = 0; done < FILE_SIZE; done += PIECE)
        bench_check(write(fd, piece, PIECE) == PIECE ? 0 : ENOSPC, path);
    bench_check(fdatasync(fd) == 0 ? 0 : errno, path); /* what is not written cannot be dropped */
    return fd;
}

static void *read_cold(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char piece[PIECE];

    for (;;) {
        bench_check(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
        for (size_t done = 0; done < FILE_SIZE; done += PIECE)
            bench_check(pread(fd, piece, PIECE, (off_t)done) == PIECE ? 0 : EIO, "pread");
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s THREADS DIRECTORY PORT\n", argv[0]);
        return 2;
    }
    long threads = strtol(argv[1], NULL, 10);
    if (threads < 0 || threads > 256) {
        fprintf(stderr, "%s: THREADS must be from 0 to 256\n", argv[0]);
        return 2;
    }
    for (long i = 0; i < threads; i++) {
        pthread_t thread;
        bench_start(&thread, read_cold, (void *)(intptr_t)create(argv[2], i));
    }
    char *rest[] = {argv[0], argv[3], NULL};
    return echo_server(2, rest);
}
