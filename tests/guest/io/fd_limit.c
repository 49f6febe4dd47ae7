// SPDX-License-Identifier: MIT
// With RLIMIT_NOFILE at 64 the program can open exactly up to 63, then EMFILE, though threads exist;
// accept, socket and pipe say EMFILE too.
#include "io.h"
#include <sys/resource.h>

static void *opener(void *unused)
{
    struct sockaddr_in address;
    int fd, last = -1, pair[2];
    int listener = tcp_listen(5, &address);
    tcp_connect(&address);
    while ((fd = dup(0)) >= 0)
        last = fd;
    CHECK(errno == EMFILE);
    printf("listener %d, last %d\n", listener, last);
    CHECK_FAILS(pipe(pair), EMFILE);
    CHECK_FAILS(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
    CHECK_FAILS(accept(listener, NULL, NULL), EMFILE);
    CHECK(close(last) == 0);
    CHECK(accept(listener, NULL, NULL) == last);
    return unused;
}

int main(void)
{
    struct rlimit limit;
    for (int i = 3; i < 1024; i++)
        close(i); /* whatever was inherited */
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 64;
    pthread_t first = guest_start(nothing, NULL);
    guest_join(first);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    guest_join(guest_start(opener, NULL));
    return guest_success();
}
