// SPDX-License-Identifier: MIT
// While a thread that has long been the only one with anything to do waits for another process, another
// thread forks: the parent's wait goes on, and the child can use threads and descriptors.
#include "guest.h"

#include <sys/socket.h>
#include <sys/wait.h>

enum { ROUNDS = 150, FORKS = 5 };

static int line[2];

static void exchange(const char *byte)
{
    char answer;
    CHECK_EQUAL(write(line[0], byte, 1), 1);
    CHECK_EQUAL(read(line[0], &answer, 1), 1);
}

static void *wait_late(void *unused)
{
    for (int i = 0; i < ROUNDS; i++)
        exchange("e");
    exchange("l");
    return unused;
}

static void *add_one(void *number)
{
    usleep(1000);
    return (void *)((intptr_t)number + 1);
}

static void fork_one(intptr_t number)
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit((int)(intptr_t)guest_join(guest_start(add_one, (void *)number)));
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(WEXITSTATUS(status), number + 1);
}

int main(void)
{
    int signs[2], permits[2];
    char byte;
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, line), 0);
    CHECK_EQUAL(pipe(signs), 0);
    CHECK_EQUAL(pipe(permits), 0);
    if (fork() == 0) { // sends back what it gets, 'l' after a permit
        close(line[0]);
        while (read(line[1], &byte, 1) == 1) {
            if (byte == 'l') {
                CHECK_EQUAL(write(signs[1], "s", 1), 1);
                CHECK_EQUAL(read(permits[0], &byte, 1), 1);
            }
            CHECK_EQUAL(write(line[1], &byte, 1), 1);
        }
        _exit(0);
    }
    for (int i = 0; i < FORKS; i++) {
        pthread_t alone = guest_start(wait_late, NULL);
        CHECK_EQUAL(read(signs[0], &byte, 1), 1);
        fork_one(i);
        CHECK_EQUAL(write(permits[1], "l", 1), 1);
        guest_join(alone);
    }
    close(line[0]);
    close(line[1]);
    CHECK(wait(NULL) > 0);
    return guest_success();
}
