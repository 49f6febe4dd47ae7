// SPDX-License-Identifier: MIT
// Claims: sendmmsg and recvmmsg, which take many messages at a time, do so as natively: what waits in the
// middle goes on, an error in the middle ends the call with the count of those before it, and is told by the
// next; the vector may be longer than the kernel takes at once.
#include "io.h"

enum { MESSAGES = 200, LENGTH = 1000, MANY = 1500 };

static int ends[2];
static char out[MESSAGES][LENGTH], in[MESSAGES][LENGTH];
static struct iovec out_parts[MESSAGES], in_parts[MESSAGES];
static struct mmsghdr sent[MESSAGES], received[MESSAGES], many[MANY];

static void *send_all(void *unused)
{
    CHECK_EQUAL(sendmmsg(ends[1], sent, MESSAGES, 0), MESSAGES);
    return unused;
}

static void fill(void)
{
    for (int i = 0; i < MESSAGES; i++) {
        memset(out[i], i, LENGTH);
        out_parts[i] = (struct iovec){out[i], LENGTH - (size_t)i};
        in_parts[i] = (struct iovec){in[i], LENGTH};
        sent[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &out_parts[i], .msg_iovlen = 1}};
        received[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &in_parts[i], .msg_iovlen = 1}};
    }
}

// More than the queue takes, so both sides wait in the middle of their calls.
static void transfer(int type, int at_a_time)
{
    unix_pair(type, ends);
    fill();
    pthread_t thread = guest_start(send_all, NULL);
    for (int i = 0; i < MESSAGES; i += at_a_time)
        CHECK_EQUAL(recvmmsg(ends[0], &received[i], (unsigned)at_a_time, 0, NULL), at_a_time);
    guest_join(thread);
    for (int i = 0; i < MESSAGES; i++) {
        CHECK_EQUAL(sent[i].msg_len, LENGTH - i);
        CHECK_EQUAL(received[i].msg_len, LENGTH - i);
        CHECK_EQUAL(memcmp(in[i], out[i], (size_t)(LENGTH - i)), 0);
    }
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void *stop_in_the_middle(void *unused)
{
    unix_pair(SOCK_DGRAM, ends);
    fill();
    sent[3].msg_hdr.msg_iov = (void *)8;
    CHECK_EQUAL(sendmmsg(ends[1], sent, 6, 0), 3);
    CHECK_FAILS(sendmmsg(ends[1], &sent[3], 3, 0), EFAULT);
    received[2].msg_hdr.msg_iov = (void *)8;
    CHECK_EQUAL(recvmmsg(ends[0], received, 3, 0, NULL), 2);
    CHECK_EQUAL(received[1].msg_len, LENGTH - 1);
    // What was not received is there, or lost, as the kernel likes; the next call says why.
    char byte;
    printf("then %zd, errno %d\n", recv(ends[0], &byte, 1, MSG_DONTWAIT), errno);

    for (int i = 0; i < MANY; i++)
        many[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &out_parts[0], .msg_iovlen = 0}};
    int pair[2];
    udp_pair(pair);
    printf("of %d: %d\n", MANY, sendmmsg(pair[1], many, MANY, 0));
    return unused;
}

int main(void)
{
    transfer(SOCK_DGRAM, MESSAGES);
    transfer(SOCK_DGRAM, 8);
    transfer(SOCK_SEQPACKET, 50);
    guest_join(guest_start(stop_in_the_middle, NULL));
    return guest_success();
}
