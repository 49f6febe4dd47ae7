// SPDX-License-Identifier: MIT
// Claims: send, sendto, sendmsg, sendmmsg, write and writev give what they give natively: on each kind of
// socket, with each flag, nothing, little, and more than the buffer takes; to a peer that listens, reads no
// more, is gone, after shutdown, and when the socket does not block; with SIGPIPE and the error that the next
// call finds. (How much of a large message fits is the kernel's business, and whether the error of a datagram
// is the first's or the second's a matter of time.)
#include "io.h"
#include <stdbool.h>

enum kind { UNIX_STREAM, UNIX_DATAGRAM, UNIX_PACKET, TCP, UDP, KINDS };
enum state { LISTENS, READS_NO_MORE, GONE, SHUT_DOWN, NONBLOCKING, STATES };
enum { CALLS = 5, LARGE = 70000, LARGEST = 4 << 20 };

static const int flags[] = {0, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_EOR, MSG_MORE, MSG_WAITALL, MSG_PEEK};
static const size_t sizes[] = {0, 1, 1000, LARGE, LARGEST};
static char room[LARGEST];
static volatile sig_atomic_t pipes;

static void on_pipe(int number)
{
    (void)number;
    pipes++;
}

static void make(enum kind kind, int ends[2])
{
    const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    if (kind == TCP)
        tcp_pair(ends);
    else if (kind == UDP)
        udp_pair(ends);
    else
        unix_pair(types[kind], ends);
}

static void bring(enum state state, int ends[2])
{
    if (state == READS_NO_MORE)
        shutdown(ends[0], SHUT_RD);
    if (state == GONE)
        CHECK_EQUAL(close(ends[0]), 0);
    if (state == SHUT_DOWN)
        shutdown(ends[1], SHUT_WR);
    if (state == NONBLOCKING)
        CHECK_EQUAL(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
}

static long make_call(int fd, int call, int flag, size_t size)
{
    struct iovec parts[2] = {{room, size / 2}, {room, size - size / 2}};
    struct mmsghdr messages[2];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 2; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = parts, .msg_iovlen = 2};
    switch (call) {
    case 0:
        return send(fd, room, size, flag);
    case 1:
        return sendto(fd, room, size, flag, NULL, 0);
    case 2:
        return sendmsg(fd, &messages[0].msg_hdr, flag);
    case 3:
        return sendmmsg(fd, messages, 2, flag);
    default:
        return flag ? write(fd, room, size) : writev(fd, parts, 2);
    }
}

static void show(long result, int error, int signals)
{
    printf(" %ld/%d, %d", result > LARGE && result < LARGEST ? LARGE : result, result < 0 ? error : 0,
           signals);
}

static void try(enum kind kind, enum state state, int call, int flag, size_t size)
{
    const struct timeval patience = {.tv_usec = 5000};
    const int buffer = 65536;
    int ends[2];
    make(kind, ends);
    CHECK_EQUAL(setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    CHECK_EQUAL(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer), 0);
    bring(state, ends);
    int before = pipes;
    errno = 0;
    long result = make_call(ends[1], call, flag, size);
    printf("%d, state %d, call %d, flags %x, %zu:", kind, state, call, (unsigned)flag, size);
    show(result, errno, pipes - before);
    if (state != LISTENS && state != NONBLOCKING) {
        result = make_call(ends[1], 0, MSG_DONTWAIT, 1);
        show(result, errno, pipes - before);
    }
    puts("");
    close(ends[1]);
    if (state != GONE)
        close(ends[0]);
}

// When the reset or the refusal arrives is not ours to say.
static bool depends_on_time(enum kind kind, enum state state, size_t size)
{
    return (kind == TCP && (state == GONE || state == READS_NO_MORE) && size > 0 && size < LARGEST) ||
           (kind == UDP && state == GONE);
}

static void *body(void *unused)
{
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (enum state state = 0; state < STATES; state++)
            for (int call = 0; call < CALLS; call++)
                for (size_t flag = 0; flag < sizeof flags / sizeof *flags; flag++)
                    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++)
                        if (!depends_on_time(kind, state, sizes[size]))
                            try(kind, state, call, flags[flag], sizes[size]);
    return unused;
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_pipe, .sa_flags = SA_RESTART};
    CHECK_EQUAL(sigaction(SIGPIPE, &action, NULL), 0);
    guest_join(guest_start(body, NULL));
    return guest_success();
}
