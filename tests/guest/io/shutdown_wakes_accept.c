// SPDX-License-Identifier: MIT
// shutdown of a listener from another thread ends a blocked accept with EINVAL: TCP with SHUT_RD or
// SHUT_RDWR, Unix with SHUT_RDWR.
#include "io.h"

static int listener;

static void *acceptor(void *unused)
{
    blocks_next();
    CHECK_FAILS(accept(listener, NULL, NULL), EINVAL);
    return unused;
}

static void shut(int how, int round)
{
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        thread[i] = guest_start(acceptor, NULL);
    wait_blocked(round * 3);
    CHECK(shutdown(listener, how) == 0);
    for (int i = 0; i < 3; i++)
        guest_join(thread[i]);
}

int main(void)
{
    struct sockaddr_in address;
    struct sockaddr_un unix_address;
    socklen_t length;
    listener = tcp_listen(1, &address);
    shut(SHUT_RD, 1);
    listener = tcp_listen(1, &address);
    shut(SHUT_RDWR, 2);
    listener = unix_listen(SOCK_STREAM, 1, &unix_address, &length);
    shut(SHUT_RDWR, 3);
    puts("9 acceptors, EINVAL");
    return guest_success();
}
