// SPDX-License-Identifier: MIT
// Descriptors get the lowest free numbers as ever: with threads that have slept, polled and blocked, the
// first is 3, and no number below 100 is taken.
#include "io.h"
#include <dirent.h>
#include <sys/epoll.h>

static int fds[2];

static void *reader(void *unused)
{
    char byte;
    poll(NULL, 0, 1);
    CHECK(read(fds[0], &byte, 1) == 1);
    return unused;
}

static void list(void)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    int open_numbers[100] = {0};
    CHECK(directory);
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.' && atoi(entry->d_name) < 100)
            open_numbers[atoi(entry->d_name)] = 1;
    for (int i = 0; i < 100; i++)
        if (open_numbers[i])
            printf("%d ", i);
    puts("are open");
    closedir(directory);
}

int main(void)
{
    for (int i = 3; i < 1024; i++)
        close(i); /* whatever was inherited */
    CHECK(pipe(fds) == 0);
    pthread_t thread = guest_start(reader, NULL);
    yield_some(100);
    printf("pipe %d %d, null %d\n", fds[0], fds[1], open("/dev/null", O_RDONLY));
    list();
    CHECK(close(3 + 2) == 0);
    int event = epoll_create1(0), pair[2];
    unix_pair(SOCK_STREAM, pair);
    printf("epoll %d, pair %d %d, dup %d, F_DUPFD %d\n", event, pair[0], pair[1], dup(0),
           fcntl(0, F_DUPFD, 20));
    CHECK(write(fds[1], "x", 1) == 1);
    guest_join(thread);
    list();
    return guest_success();
}
