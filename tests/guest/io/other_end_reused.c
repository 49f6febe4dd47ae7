// SPDX-License-Identifier: MIT
// What must not be taken for the other end of a pipe: its number, when that means something else by now. And
// reads behind a short one.
#include "io.h"

enum { ROOM = 64 };

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

struct scene {
    int fd;
    long result;
    char byte;
};

static void *receive(void *argument)
{
    struct scene *scene = argument;
    blocks_next();
    scene->result = read(scene->fd, &scene->byte, 1);
    return NULL;
}

// The pipe's reading number is another thing's now, which has a reader, too; the pipe goes on by a duplicate.
static void use_number_again(void)
{
    int fds[2], others[2];
    struct scene at_pipe = {0}, at_other = {0};
    CHECK_EQUAL(pipe(fds), 0);
    at_pipe.fd = dup(fds[0]);
    CHECK(at_pipe.fd >= 0);
    unix_pair(SOCK_STREAM, others);
    at_other.fd = dup2(others[0], fds[0]);
    CHECK_EQUAL(at_other.fd, fds[0]);
    int blocked = blocked_count;
    pthread_t other = guest_start(receive, &at_other), reader = guest_start(receive, &at_pipe);
    wait_blocked(blocked + 2);
    CHECK_EQUAL(write(fds[1], "p", 1), 1);
    guest_join(reader);
    CHECK_EQUAL(at_pipe.result, 1);
    CHECK_EQUAL(at_pipe.byte, 'p');
    CHECK_EQUAL(at_other.result, 0); // it waits still
    CHECK_EQUAL(write(others[1], "o", 1), 1);
    guest_join(other);
    CHECK_EQUAL(at_other.byte, 'o');
    close(at_pipe.fd);
    close_both(fds);
    close_both(others);
    puts("used again");
}

// Behind a short read: the end, O_NONBLOCK, a byte that is there already.
static void read_again(void)
{
    int fds[2];
    char bytes[ROOM];
    CHECK_EQUAL(pipe(fds), 0);
    CHECK_EQUAL(write(fds[1], "abc", 3), 3);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 3);
    CHECK_EQUAL(write(fds[1], "de", 2), 2);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 2);
    CHECK_EQUAL(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    CHECK(read(fds[0], bytes, sizeof bytes) == -1 && errno == EAGAIN);
    CHECK_EQUAL(write(fds[1], "f", 1), 1);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 1);
    CHECK_EQUAL(fcntl(fds[0], F_SETFL, 0), 0);
    CHECK_EQUAL(write(fds[1], "gh", 2), 2);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 2);
    close(fds[1]);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 0);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 0);
    close(fds[0]);
    puts("read again");
}

int main(void)
{
    become_threaded();
    use_number_again();
    read_again();
    return guest_success();
}
