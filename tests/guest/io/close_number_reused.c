// SPDX-License-Identifier: MIT
// The number of a closed descriptor that a thread still reads from is given to another connection: the old
// reader gets the old connection's data, a reader that starts later gets the new one's, also when both
// wait at the same time.
#include "io.h"

static int old[2], new[2];

static void *old_reader(void *unused)
{
    char text[4];
    CHECK(recv(old[0], text, 4, MSG_WAITALL) == 4 && memcmp(text, "old.", 4) == 0);
    return unused;
}

static void *new_reader(void *unused)
{
    char text[4];
    CHECK(recv(new[0], text, 4, MSG_WAITALL) == 4 && memcmp(text, "new.", 4) == 0);
    return unused;
}

static void reuse(const char *kind, int tcp, int old_first)
{
    char byte;
    if (tcp)
        tcp_pair(old);
    else
        unix_pair(SOCK_STREAM, old);
    pthread_t first = guest_start(old_reader, NULL);
    CHECK(send(old[1], "o", 1, 0) == 1);
    wait_unread(old[0], 0);
    CHECK(close(old[0]) == 0);
    if (tcp)
        tcp_pair(new);
    else
        unix_pair(SOCK_STREAM, new);
    CHECK(new[0] == old[0]);
    pthread_t second = guest_start(new_reader, NULL);
    CHECK(send(new[1], "n", 1, 0) == 1);
    wait_unread(new[0], 0);
    yield_some(100);
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == old_first) {
            CHECK(send(old[1], "ld.", 3, 0) == 3);
            guest_join(first);
            CHECK(recv(old[1], &byte, 1, 0) == 0);
        } else {
            CHECK(send(new[1], "ew.", 3, 0) == 3);
            guest_join(second);
            CHECK_FAILS(recv(new[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
        }
    }
    close(old[1]);

    close(new[0]);
    close(new[1]);
    puts(kind);
}

int main(void)
{
    reuse("tcp, old first", 1, 1);
    reuse("tcp, new first", 1, 0);
    reuse("unix, old first", 0, 1);
    reuse("unix, new first", 0, 0);
    return guest_success();
}
