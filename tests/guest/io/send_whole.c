// SPDX-License-Identifier: MIT
// Blocking send, sendto and sendmsg of 4 MiB to a slow reader, on TCP and on a Unix stream, return the
// full count.
#include "whole.h"

enum { LENGTH = WHOLE / 2 };

static int fds[2];

static void *with_send(void *unused)
{
    CHECK(send(fds[1], whole_data, LENGTH, MSG_NOSIGNAL) == LENGTH);
    CHECK(shutdown(fds[1], SHUT_WR) == 0);
    return unused;
}

static void *with_sendto(void *unused)
{
    CHECK(sendto(fds[1], whole_data, LENGTH, 0, NULL, 0) == LENGTH);
    CHECK(shutdown(fds[1], SHUT_WR) == 0);
    return unused;
}

static void *with_sendmsg(void *unused)
{
    struct iovec pieces[] = {{whole_data, 1000001}, {whole_data + 1000001, LENGTH - 1000001}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    CHECK(sendmsg(fds[1], &message, 0) == LENGTH);
    CHECK(shutdown(fds[1], SHUT_WR) == 0);
    return unused;
}

int main(void)
{
    static void *(*const sender[])(void *) = {with_send, with_sendto, with_sendmsg};
    pattern_fill(whole_data, WHOLE, 0);
    for (int i = 0; i < 6; i++) {
        if (i % 2 == 0)
            tcp_pair(fds);
        else
            unix_pair(SOCK_STREAM, fds);
        pthread_t thread = guest_start(sender[i / 2], NULL);
        printf("read %zu\n", whole_read(fds[0]));
        guest_join(thread);
        close(fds[0]);
        close(fds[1]);
    }
    return guest_success();
}
