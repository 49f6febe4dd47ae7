// SPDX-License-Identifier: MIT
// preadv2 and pwritev2 at offset -1 are readv and writev: on pipes and sockets they wait, a handler without
// SA_RESTART ends them, and data that comes is read. So do flags that do not matter there.
#include "handler.h"

static int empty[2], full[2], pair[2];
static atomic_int returned;

static ssize_t call(int which, char *bytes)
{
    struct iovec parts[2] = {{bytes, 1}, {bytes + 1, 1}};
    switch (which) {
    case 0:
        return preadv2(empty[0], parts, 2, -1, 0);
    case 1:
        return pwritev2(full[1], parts, 2, -1, 0);
    case 2:
        return preadv2(pair[0], parts, 2, -1, 0);
    case 3:
        return pwritev2(pair[0], parts, 2, -1, 0);
    default:
        return preadv2(empty[0], parts, 2, -1, RWF_HIPRI);
    }
}

static void *caller(void *which)
{
    char bytes[2];
    CHECK_FAILS(call((int)(intptr_t)which, bytes), EINTR);
    returned = 1;
    return NULL;
}

static void *reader(void *which)
{
    char bytes[2];
    blocks_next();
    CHECK(call((int)(intptr_t)which, bytes) == 2 && bytes[0] == 'a' && bytes[1] == 'b');
    return NULL;
}

int main(void)
{
    handler_install(SIGUSR1, 0);
    CHECK(pipe(empty) == 0 && pipe(full) == 0);
    unix_pair(SOCK_STREAM, pair);
    fill_up(full[1]);
    fill_up(pair[0]);
    for (int i = 0; i < 5; i++) {
        returned = 0;
        pthread_t thread = guest_start(caller, (void *)(intptr_t)i);
        signal_until(thread, &returned);
        guest_join(thread);
    }
    puts("five calls, EINTR");
    pthread_t threads[] = {guest_start(reader, (void *)0), guest_start(reader, (void *)2)};
    wait_blocked(2);
    CHECK(write(empty[1], "ab", 2) == 2 && write(pair[1], "ab", 2) == 2);
    guest_join(threads[0]);
    guest_join(threads[1]);
    puts("two reads, two bytes");
    return guest_success();
}
