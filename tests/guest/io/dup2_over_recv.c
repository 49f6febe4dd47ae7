// SPDX-License-Identifier: MIT
// dup2 over a descriptor that a thread is inside recv on: that recv keeps the old description, the next
// call on the number uses the new one. The same for dup3.
#include "io.h"

static int old[2], new[2];

static void *reader(void *unused)
{
    char text[4];
    CHECK(recv(old[0], text, 4, MSG_WAITALL) == 4 && memcmp(text, "old.", 4) == 0);
    CHECK(recv(old[0], text, 4, MSG_WAITALL) == 4 && memcmp(text, "new.", 4) == 0);
    return unused;
}

static void replace(const char *kind)
{
    char byte;
    pthread_t thread = guest_start(reader, NULL);
    CHECK(send(old[1], "o", 1, 0) == 1);
    wait_unread(old[0], 0);
    CHECK((kind[0] == 't' ? dup2(new[0], old[0]) : dup3(new[0], old[0], O_CLOEXEC)) == old[0]);
    CHECK(send(new[1], "new.", 4, 0) == 4);
    wait_unread(old[0], 4);
    yield_some(200);
    CHECK_FAILS(recv(old[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
    CHECK(send(old[1], "ld.", 3, 0) == 3);
    guest_join(thread);
    CHECK(recv(old[1], &byte, 1, 0) == 0);
    puts(kind);
}

int main(void)
{
    tcp_pair(old);
    tcp_pair(new);
    replace("tcp");
    unix_pair(SOCK_STREAM, old);
    unix_pair(SOCK_STREAM, new);
    replace("unix stream");
    return guest_success();
}
