// SPDX-License-Identifier: MIT
// A blocked recvmsg scatters a datagram, tells the sender's name and MSG_TRUNC; sendmsg gathers and names
// the receiver.
#include "io.h"

static int in;
static struct sockaddr_in in_address, out_address;

static void *reader(void *unused)
{
    char a[4], b[4];
    struct sockaddr_in from;
    struct iovec pieces[] = {{a, 4}, {b, 4}};
    struct msghdr message = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = pieces, .msg_iovlen = 2};
    blocks_next();
    CHECK(recvmsg(in, &message, 0) == 7);
    CHECK(message.msg_namelen == sizeof from && from.sin_port == out_address.sin_port);
    CHECK(message.msg_flags == 0 && message.msg_controllen == 0);
    printf("%.4s|%.3s\n", a, b);
    blocks_next();
    CHECK(recvmsg(in, &message, 0) == 8);
    CHECK(message.msg_flags == MSG_TRUNC);
    printf("%.4s|%.4s\n", a, b);
    return unused;
}

int main(void)
{
    in = inet_bound(SOCK_DGRAM, &in_address);
    int out = inet_bound(SOCK_DGRAM, &out_address);
    struct iovec pieces[] = {{"012", 3}, {"3456", 4}, {"789", 3}};
    struct msghdr message = {.msg_name = &in_address, .msg_namelen = sizeof in_address, .msg_iov = pieces};
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    message.msg_iovlen = 2;
    CHECK(sendmsg(out, &message, 0) == 7);
    wait_blocked(2);
    message.msg_iovlen = 3;
    CHECK(sendmsg(out, &message, 0) == 10);
    guest_join(thread);
    return guest_success();
}
