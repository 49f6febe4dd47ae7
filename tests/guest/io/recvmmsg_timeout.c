// SPDX-License-Identifier: MIT
// recvmmsg looks at its timeout after each datagram only: with datagrams that keep coming it returns a
// part of the vector, not before the timeout, and never waits for the rest; a timeout of 0 takes one
// datagram.
#include "io.h"

enum { MESSAGES = 1000 };

static int fds[2];
static atomic_int returned;

static void *receiver(void *unused)
{
    static char byte[MESSAGES];
    static struct iovec pieces[MESSAGES];
    static struct mmsghdr messages[MESSAGES];
    struct timespec timeout = {0, 30000000}, no_time = {0, 0};
    for (int i = 0; i < MESSAGES; i++) {
        pieces[i] = (struct iovec){&byte[i], 1};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    blocks_next();
    int64_t start = now();
    int count = recvmmsg(fds[0], messages, MESSAGES, 0, &timeout);
    CHECK(count >= 1 && count < MESSAGES);
    CHECK(now() - start >= 30 * GUEST_MILLISECOND);
    CHECK(timeout.tv_sec == 0 && timeout.tv_nsec == 0);
    for (int i = 0; i < count; i++)
        CHECK(messages[i].msg_len == 1);
    CHECK(recvmmsg(fds[0], messages, MESSAGES, 0, &no_time) == 1);
    returned = 1;
    return unused;
}

int main(void)
{
    int sent = 0;
    udp_pair(fds);
    pthread_t thread = guest_start(receiver, NULL);
    wait_blocked(1);
    while (!returned) {
        CHECK(send(fds[1], "x", 1, 0) == 1);
        CHECK(++sent < MESSAGES);
        poll(NULL, 0, 10);
    }
    guest_join(thread);
    puts("a part, not before the timeout");
    return guest_success();
}
