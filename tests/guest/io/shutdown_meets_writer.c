// SPDX-License-Identifier: MIT
// Claims: however a shutdown of the peer's reading side meets a write to a full local stream, before it,
// while it tries or while it waits, the write ends; the next one fails with EPIPE. SIGPIPE is ignored.
#include <semaphore.h>
#include "io.h"

enum { ROUNDS = 3000 };

static int fds[2];
static char data[1 << 20];
static sem_t begins, ends;

static void *writer(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(sem_wait(&begins), 0);
        ssize_t count = write(fds[1], data, sizeof data);
        CHECK(count == -1 ? errno == EPIPE : count > 0 && count < (ssize_t)sizeof data);
        CHECK_FAILS(write(fds[1], data, 1), EPIPE);
        CHECK_EQUAL(sem_post(&ends), 0);
    }
    return unused;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    sem_init(&begins, 0, 0);
    sem_init(&ends, 0, 0);
    pthread_t thread = guest_start(writer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        unix_pair(SOCK_STREAM, fds);
        CHECK_EQUAL(sem_post(&begins), 0);
        // From before the write begins to long after it has filled the stream.
        for (volatile int pause = i * 37 % ROUNDS * 60; pause > 0; pause--)
            ;
        CHECK_EQUAL(shutdown(fds[0], SHUT_RD), 0);
        CHECK_EQUAL(sem_wait(&ends), 0);
        close(fds[0]);
        close(fds[1]);
    }
    guest_join(thread);
    return guest_success();
}
