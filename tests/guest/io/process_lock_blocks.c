// SPDX-License-Identifier: MIT
// fcntl F_SETLKW blocks on a record that a child process holds, and wakes when another thread lets the
// child go.
#include "io.h"

static int file, to_child[2], from_child[2];

static void *locker(void *unused)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    blocks_next();
    CHECK(fcntl(file, F_SETLKW, &lock) == 0);
    return unused;
}

int main(void)
{
    char byte;
    int status;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    file = open("lock", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(file >= 0 && unlink("lock") == 0);
    CHECK(pipe(to_child) == 0 && pipe(from_child) == 0);
    become_threaded();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(fcntl(file, F_SETLK, &lock) == 0);
        CHECK(write(from_child[1], "l", 1) == 1 && read(to_child[0], &byte, 1) == 1);
        _exit(0);
    }
    CHECK(read(from_child[0], &byte, 1) == 1);
    CHECK(fcntl(file, F_SETLK, &lock) == -1 && (errno == EAGAIN || errno == EACCES));
    pthread_t thread = guest_start(locker, NULL);
    wait_blocked(1);
    CHECK(write(to_child[1], "g", 1) == 1);
    guest_join(thread);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    puts("locked after the child");
    return guest_success();
}
