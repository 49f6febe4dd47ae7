// SPDX-License-Identifier: MIT
// A name server that never answers: the resolver's own time-out ends the query, not before its time, while
// other threads go on.
#include "io.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

static int silent;
static struct sockaddr_in silent_address;

static void set_server(const struct sockaddr_in *address, int tries)
{
    CHECK(res_init() == 0);
    _res.nscount = 1;
    _res.nsaddr_list[0] = *address;
    _res.retrans = 1; /* seconds, the least there is */
    _res.retry = tries;
    _res.options |= RES_NORELOAD;
}

static void *query(void *unused)
{
    unsigned char answer[512];
    set_server(&silent_address, 1);
    int64_t start = now();
    CHECK(res_query("no.answer.test", ns_c_in, ns_t_a, answer, sizeof answer) == -1);
    CHECK(now() - start >= 990 * GUEST_MILLISECOND);
    CHECK(h_errno == TRY_AGAIN);
    res_nclose(&_res);
    return unused;
}

int main(void)
{
    int fds[2], rounds = 0;
    unsigned char packet[512];
    silent = inet_bound(SOCK_DGRAM, &silent_address);
    pthread_t thread = guest_start(query, NULL);
    unix_pair(SOCK_STREAM, fds);
    CHECK(recv(silent, packet, sizeof packet, 0) > 12);
    for (; rounds < 100; rounds++) {
        char byte;
        CHECK(write(fds[0], "x", 1) == 1 && read(fds[1], &byte, 1) == 1);
    }
    guest_join(thread);
    printf("no answer, %d rounds\n", rounds);
    return guest_success();
}
