// SPDX-License-Identifier: MIT
// Claims: recv, recvfrom, recvmsg, recvmmsg and readv give what they give natively: on each kind of socket,
// with each flag and some together, when there is nothing (for 3 ms), one message, two, one and then the end,
// after shutdown, and when the socket does not block; with what they tell of the sender and the message, and
// what they leave to the next call.
#include "io.h"
#include <linux/sock_diag.h>

enum kind { UNIX_STREAM, UNIX_DATAGRAM, UNIX_PACKET, TCP, UDP, KINDS };
enum state { NOTHING, ONE, TWO, ONE_AND_END, SHUT_DOWN, NONBLOCKING, STATES };
enum { ROOM = 64, CALLS = 6 };

static const int flags[] = {0,
                            MSG_PEEK,
                            MSG_WAITALL,
                            MSG_TRUNC,
                            MSG_DONTWAIT,
                            MSG_OOB,
                            MSG_ERRQUEUE,
                            MSG_PEEK | MSG_WAITALL,
                            MSG_PEEK | MSG_TRUNC,
                            MSG_WAITALL | MSG_DONTWAIT,
                            MSG_PEEK | MSG_DONTWAIT,
                            MSG_OOB | MSG_PEEK};

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

static int option(int fd, int name)
{
    int value;
    socklen_t size = sizeof value;
    CHECK_EQUAL(getsockopt(fd, SOL_SOCKET, name, &value, &size), 0);
    return value;
}

// Sends, and waits until the kernel has brought it to the other end.
static void deliver(int ends[2], const char *text)
{
    uint32_t before[SK_MEMINFO_VARS], after[SK_MEMINFO_VARS];
    socklen_t size = sizeof before;
    CHECK_EQUAL(getsockopt(ends[0], SOL_SOCKET, SO_MEMINFO, before, &size), 0);
    CHECK_EQUAL(send(ends[1], text, strlen(text), 0), strlen(text));
    do
        CHECK_EQUAL(getsockopt(ends[0], SOL_SOCKET, SO_MEMINFO, after, &size), 0);
    while (option(ends[0], SO_DOMAIN) == AF_INET &&
           after[SK_MEMINFO_RMEM_ALLOC] == before[SK_MEMINFO_RMEM_ALLOC]);
}

static void end(int ends[2])
{
    struct pollfd waiting = {.fd = ends[0], .events = POLLRDHUP};
    CHECK_EQUAL(close(ends[1]), 0);
    if (option(ends[0], SO_TYPE) == SOCK_STREAM)
        CHECK_EQUAL(poll(&waiting, 1, -1), 1);
}

static void bring(enum state state, int ends[2])
{
    if (state == ONE || state == TWO || state == ONE_AND_END || state == NONBLOCKING)
        deliver(ends, "hello");
    if (state == TWO)
        deliver(ends, "world!");
    if (state == ONE_AND_END)
        end(ends);
    if (state == SHUT_DOWN)
        shutdown(ends[0], SHUT_RD);
    if (state == NONBLOCKING)
        CHECK_EQUAL(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
}

static void receive(int fd, int call, int flag)
{
    char room[ROOM], left[ROOM], control[ROOM];
    struct iovec parts[2] = {{room, 4}, {room + 4, 8}};
    struct sockaddr_storage from = {.ss_family = 99};
    socklen_t size = sizeof from;
    struct msghdr message = {&from, sizeof from, parts, 2, control, sizeof control, 0};
    struct mmsghdr messages[3];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 3; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = parts, .msg_iovlen = 1};
    memset(room, '.', sizeof room);
    ssize_t result = -2;
    errno = 0;
    switch (call) {
    case 0:
        result = recv(fd, room, 12, flag);
        break;
    case 1:
        result = recvfrom(fd, room, 3, flag, (struct sockaddr *)&from, &size);
        break;
    case 2:
        result = recvmsg(fd, &message, flag);
        break;
    case 3:
        result = recvmmsg(fd, messages, 3, flag, NULL);
        break;
    case 4:
        result = recvmmsg(fd, messages, 2, flag | MSG_WAITFORONE, NULL);
        break;
    case 5:
        result = flag ? recvfrom(fd, room, 12, flag, NULL, NULL) : readv(fd, parts, 2);
        break;
    }
    printf(" %zd/%d", result, result < 0 ? errno : 0);
    if (call == 1)
        printf(" from %d, %u", from.ss_family, size);
    if (call == 2)
        printf(" flags %x, %d, %u", (unsigned)message.msg_flags, from.ss_family, message.msg_namelen);
    if (call == 3 || call == 4)
        printf(" flags %x, %u", (unsigned)messages[0].msg_hdr.msg_flags, messages[0].msg_len);
    printf(" %.12s,", room);
    result = recv(fd, left, sizeof left, MSG_DONTWAIT);
    printf(" then %zd/%d\n", result, result < 0 ? errno : 0);
}

static void *body(void *unused)
{
    const struct timeval patience = {.tv_usec = 3000};
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (size_t flag = 0; flag < sizeof flags / sizeof *flags; flag++)
            for (enum state state = 0; state < STATES; state++)
                for (int call = 0; call < CALLS; call++) {
                    int ends[2];
                    make(kind, ends);
                    CHECK_EQUAL(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
                    bring(state, ends);
                    printf("%d, flags %x, state %d, call %d:", kind, (unsigned)flags[flag], state, call);
                    receive(ends[0], call, flags[flag]);
                    close(ends[0]);
                    if (state != ONE_AND_END)
                        close(ends[1]);
                }
    return unused;
}

int main(void)
{
    guest_join(guest_start(body, NULL));
    return guest_success();
}
