// SPDX-License-Identifier: MIT
// shutdown from another thread ends a blocked recv or read with 0: SHUT_RD and SHUT_RDWR on the reader's
// own socket, SHUT_WR on its peer; TCP and Unix streams.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char byte;
    blocks_next();
    CHECK(recv(fds[0], &byte, 1, MSG_WAITALL) == 0);
    CHECK(read(fds[0], &byte, 1) == 0);
    return unused;
}

int main(void)
{
    static const int how[] = {SHUT_RD, SHUT_RDWR, SHUT_WR};
    for (int i = 0; i < 6; i++) {
        if (i < 3)
            tcp_pair(fds);
        else
            unix_pair(SOCK_STREAM, fds);
        pthread_t thread = guest_start(reader, NULL);
        wait_blocked(i + 1);
        CHECK(shutdown(fds[how[i % 3] == SHUT_WR], how[i % 3]) == 0);
        guest_join(thread);
        close(fds[0]);
        close(fds[1]);
    }
    puts("6 readers saw the end");
    return guest_success();
}
