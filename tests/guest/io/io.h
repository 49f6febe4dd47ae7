// SPDX-License-Identifier: MIT
// What the programs of this directory share: threads, sockets on free ports, and byte patterns.
//
// A program never waits for time to know that another thread is blocked. The thread says blocks_next() right
// before the call, another waits with wait_blocked() and yields a little; the test must be right in both
// orders.
#ifndef GUEST_IO_H
#define GUEST_IO_H

#include "guest.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

// The call returns -1 and sets errno to code.
#define CHECK_FAILS(call, code)                 \
    do {                                        \
        errno = 0;                              \
        CHECK((call) == -1 && errno == (code)); \
    } while (0)

static inline void *nothing(void *argument)
{
    return argument;
}

// For programs whose main thread alone does the work: from here on the program has had a second thread.
static inline void become_threaded(void)
{
    guest_join(guest_start(nothing, NULL));
}

static inline int64_t now(void)
{
    return guest_now(CLOCK_MONOTONIC);
}

// Lets other threads run: some turns, or a few milliseconds where a turn is long because the machine is busy.
static inline void yield_some(int times)
{
    for (int64_t start = now(); times-- > 0 && now() - start < 5 * GUEST_MILLISECOND;)
        sched_yield();
}

static pthread_mutex_t blocked_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t blocked_change = PTHREAD_COND_INITIALIZER;
static int blocked_count;

// The caller's next call is expected to block.
static inline void blocks_next(void)
{
    pthread_mutex_lock(&blocked_lock);
    blocked_count++;
    pthread_cond_broadcast(&blocked_change);
    pthread_mutex_unlock(&blocked_lock);
}

// Waits until blocks_next() was called `times` times in all, then lets the others run for a while.
static inline void wait_blocked(int times)
{
    pthread_mutex_lock(&blocked_lock);
    while (blocked_count < times)
        pthread_cond_wait(&blocked_change, &blocked_lock);
    pthread_mutex_unlock(&blocked_lock);
    yield_some(200);
}

// The byte at an offset of the stream that the whole-transfer tests send.
static inline unsigned char pattern(size_t offset)
{
    return (unsigned char)(offset ^ (offset >> 8) * 7 ^ (offset >> 16) * 13);
}

static inline void pattern_fill(void *to, size_t length, size_t offset)
{
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)to)[i] = pattern(offset + i);
}

static inline void pattern_check(const void *from, size_t length, size_t offset)
{
    for (size_t i = 0; i < length; i++)
        CHECK(((const unsigned char *)from)[i] == pattern(offset + i));
}

static inline void read_whole(int fd, void *to, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = read(fd, (char *)to + done, length - done);
        CHECK(count > 0);
        done += (size_t)count;
    }
}

// 127.0.0.1 with a port that the kernel chooses; *address gets the result.
static inline int inet_bound(int type, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, type, 0);
    CHECK(fd >= 0);
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)address, sizeof *address) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)address, &length) == 0);
    return fd;
}

static inline int tcp_listen(int backlog, struct sockaddr_in *address)
{
    int fd = inet_bound(SOCK_STREAM, address);
    CHECK(listen(fd, backlog) == 0);
    return fd;
}

static inline int tcp_connect(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0);
    return fd;
}

static inline void tcp_pair(int fds[2])
{
    struct sockaddr_in address;
    int listener = tcp_listen(1, &address);
    fds[0] = tcp_connect(&address);
    fds[1] = accept(listener, NULL, NULL);
    CHECK(fds[1] >= 0);
    close(listener);
}

// Two UDP sockets connected to each other.
static inline void udp_pair(int fds[2])
{
    struct sockaddr_in address[2];
    fds[0] = inet_bound(SOCK_DGRAM, &address[0]);
    fds[1] = inet_bound(SOCK_DGRAM, &address[1]);
    CHECK(connect(fds[0], (struct sockaddr *)&address[1], sizeof address[1]) == 0);
    CHECK(connect(fds[1], (struct sockaddr *)&address[0], sizeof address[0]) == 0);
}

static inline void unix_pair(int type, int fds[2])
{
    CHECK(socketpair(AF_UNIX, type, 0, fds) == 0);
}

// A listener at an abstract name that the kernel chooses; *length gets the length of the name.
static inline int unix_listen(int type, int backlog, struct sockaddr_un *address, socklen_t *length)
{
    int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    CHECK(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)) == 0);
    *length = sizeof *address;
    CHECK(getsockname(fd, (struct sockaddr *)address, length) == 0);
    CHECK(listen(fd, backlog) == 0);
    return fd;
}

/* Fills what the descriptor can take without blocking, leaves it in blocking mode, returns the number of
 * bytes. */
static inline size_t fill_up(int fd)
{
    static const char zeros[4096];
    size_t total = 0;
    int flags = fcntl(fd, F_GETFL);
    CHECK(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    for (size_t piece = sizeof zeros; piece > 0;) {
        ssize_t count = write(fd, zeros, piece);
        CHECK(count > 0 || errno == EAGAIN);
        if (count > 0)
            total += (size_t)count;
        else
            piece /= 2;
    }
    CHECK(fcntl(fd, F_SETFL, flags) == 0);
    return total;
}

// Bytes that wait to be read.
static inline int unread(int fd)
{
    int count;
    CHECK(ioctl(fd, FIONREAD, &count) == 0);
    return count;
}

/* Waits until exactly `count` bytes wait to be read: how one sees that a reader or a writer is in its call.
 */
static inline void wait_unread(int fd, int count)
{
    while (unread(fd) != count)
        sched_yield();
}

static inline void set_timeout(int fd, int option, int milliseconds)
{
    struct timeval timeout = {milliseconds / 1000, milliseconds % 1000 * 1000};
    CHECK(setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof timeout) == 0);
}

#endif
