// SPDX-License-Identifier: MIT
// /dev/null, /dev/zero, /dev/full, /dev/urandom and files of /proc work from twenty threads; errors of
// open are the kernel's.
#include "io.h"

static void *user(void *argument)
{
    char data[1000], text[400];
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
    int random = open("/dev/urandom", O_RDONLY);
    CHECK(null >= 0 && zero >= 0 && full >= 0 && random >= 0);
    for (int i = 0; i < 10; i++) {
        CHECK(read(null, data, sizeof data) == 0 && write(null, data, sizeof data) == sizeof data);
        memset(data, 1, sizeof data);
        CHECK(read(zero, data, sizeof data) == sizeof data && data[0] == 0 && data[999] == 0);
        CHECK(write(zero, data, sizeof data) == sizeof data);
        CHECK_FAILS(write(full, data, 1), ENOSPC);
        CHECK(read(random, data, sizeof data) == sizeof data);
        int file = open("/proc/self/stat", O_RDONLY);
        ssize_t count = read(file, text, sizeof text - 1);
        CHECK(count > 0);
        text[count] = 0;
        CHECK(atoi(text) == getpid());
        CHECK(close(file) == 0);
        file = open("/proc/self/comm", O_RDONLY);
        CHECK(read(file, text, sizeof text) > 5 && memcmp(text, "special", 7) == 0);
        CHECK(close(file) == 0);
    }
    CHECK_FAILS(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_FAILS(open("not-there", O_RDONLY), ENOENT);
    CHECK_FAILS(open("/proc/self/not-there", O_RDONLY), ENOENT);
    CHECK_FAILS(open("/", O_WRONLY), EISDIR);
    int directory = open("/", O_RDONLY | O_DIRECTORY);
    CHECK(directory >= 0);
    CHECK_FAILS(read(directory, data, sizeof data), EISDIR);
    int fds[] = {null, zero, full, random, directory};
    for (int i = 0; i < 5; i++)
        CHECK(close(fds[i]) == 0);
    return argument;
}

int main(void)
{
    printf("%ld\n", (long)guest_threads(20, user));
    return guest_success();
}
