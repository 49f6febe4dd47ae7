// SPDX-License-Identifier: MIT
// splice waits for data in an empty pipe and for room in a full one: 2 MiB go socket, pipe, pipe, socket
// through two threads; SPLICE_F_NONBLOCK gives EAGAIN; splice at the end returns 0.
#include "whole.h"

enum { LENGTH = WHOLE / 4 };

static int in[2], first[2], second[2], out[2];

static void *splicer(void *argument)
{
    int *from_to = argument;
    ssize_t count;
    while ((count = splice(from_to[0], NULL, from_to[1], NULL, 1 << 20, 0)) > 0)
        ;
    CHECK(count == 0);
    CHECK(close(from_to[1]) == 0);
    return NULL;
}

static void *writer(void *unused)
{
    CHECK(write(in[1], whole_data, LENGTH) == LENGTH);
    CHECK(shutdown(in[1], SHUT_WR) == 0);
    return unused;
}

int main(void)
{
    pattern_fill(whole_data, LENGTH, 0);
    tcp_pair(in);
    unix_pair(SOCK_STREAM, out);
    CHECK(pipe(first) == 0 && pipe(second) == 0);
    CHECK_FAILS(splice(first[0], NULL, second[1], NULL, 100, SPLICE_F_NONBLOCK), EAGAIN);
    int hops[3][2] = {{in[0], first[1]}, {first[0], second[1]}, {second[0], out[1]}};
    pthread_t thread[4];
    for (int i = 0; i < 3; i++)
        thread[i] = guest_start(splicer, hops[i]);
    thread[3] = guest_start(writer, NULL);
    printf("read %zu\n", whole_read(out[0]));
    for (int i = 0; i < 4; i++)
        guest_join(thread[i]);
    return guest_success();
}
