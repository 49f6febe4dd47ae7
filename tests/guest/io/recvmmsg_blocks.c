// SPDX-License-Identifier: MIT
// recvmmsg without a timeout waits until the whole vector is filled; MSG_WAITFORONE takes what is there
// after the first; sendmmsg sends a vector whole; MSG_DONTWAIT gives the partial count and then EAGAIN.
#include "io.h"

enum { MESSAGES = 8 };

static int fds[2];
static char text[MESSAGES][32];
static struct iovec pieces[MESSAGES];
static struct mmsghdr messages[MESSAGES];

static void *reader(void *unused)
{
    blocks_next();
    CHECK(recvmmsg(fds[0], messages, MESSAGES, 0, NULL) == MESSAGES);
    for (int i = 0; i < MESSAGES; i++)
        printf("%.*s\n", (int)messages[i].msg_len, text[i]);
    blocks_next();
    CHECK(recvmmsg(fds[0], messages, MESSAGES, MSG_WAITFORONE, NULL) >= 1);
    printf("%.*s\n", (int)messages[0].msg_len, text[0]);
    return unused;
}

int main(void)
{
    char word[MESSAGES][32];
    struct iovec word_pieces[MESSAGES];
    struct mmsghdr out[MESSAGES];
    udp_pair(fds);
    memset(out, 0, sizeof out);
    for (int i = 0; i < MESSAGES; i++) {
        pieces[i] = (struct iovec){text[i], sizeof text[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
        word_pieces[i] = (struct iovec){word[i], (size_t)sprintf(word[i], "message %0*d", i + 1, i)};
        out[i].msg_hdr = (struct msghdr){.msg_iov = &word_pieces[i], .msg_iovlen = 1};
    }
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    CHECK(sendmmsg(fds[1], out, 3, 0) == 3);
    yield_some(200);
    CHECK(sendmmsg(fds[1], out + 3, MESSAGES - 3, 0) == MESSAGES - 3);
    wait_blocked(2);
    CHECK(out[7].msg_len == 16);
    CHECK(sendmmsg(fds[1], out, 1, 0) == 1);
    guest_join(thread);

    unix_pair(SOCK_DGRAM, fds);
    CHECK(sendmmsg(fds[1], out, 2, 0) == 2);
    CHECK(recvmmsg(fds[0], messages, MESSAGES, MSG_DONTWAIT, NULL) == 2);
    CHECK_FAILS(recvmmsg(fds[0], messages, MESSAGES, MSG_DONTWAIT, NULL), EAGAIN);
    return guest_success();
}
