// SPDX-License-Identifier: MIT
// EFD_SEMAPHORE: each of 400 reads by 4 threads takes 1, whatever was written at once.
#include "io.h"
#include <sys/eventfd.h>

static int event;

static void *reader(void *unused)
{
    blocks_next();
    for (int i = 0; i < 100; i++) {
        uint64_t value = 0;
        CHECK(read(event, &value, sizeof value) == sizeof value);
        CHECK(value == 1);
    }
    return unused;
}

int main(void)
{
    pthread_t thread[4];
    event = eventfd(0, EFD_SEMAPHORE);
    for (int i = 0; i < 4; i++)
        thread[i] = guest_start(reader, NULL);
    wait_blocked(4);
    for (uint64_t sent = 0, piece = 1; sent < 400; sent += piece, piece = 1 + sent % 7) {
        if (piece > 400 - sent)
            piece = 400 - sent;
        CHECK(write(event, &piece, sizeof piece) == sizeof piece);
        yield_some(3);
    }
    for (int i = 0; i < 4; i++)
        guest_join(thread[i]);
    struct pollfd poll_fd = {.fd = event, .events = POLLIN | POLLOUT};
    CHECK(poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLOUT);
    return guest_success();
}
