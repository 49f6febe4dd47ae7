// SPDX-License-Identifier: MIT
// Claims: threads suspend themselves until an asynchronous read is done that another thread makes possible.
#include <aio.h>
#include "guest.h"

#define THREADS 8

static int ends[THREADS][2];
static pthread_barrier_t begun;

static void *reader(void *index)
{
    char byte = 0;
    struct aiocb request = {.aio_fildes = ends[(intptr_t)index][0], .aio_buf = &byte, .aio_nbytes = 1};
    const struct aiocb *list[] = {&request};
    request.aio_sigevent.sigev_notify = SIGEV_NONE;
    CHECK_EQUAL(aio_read(&request), 0);
    pthread_barrier_wait(&begun);
    while (aio_error(&request) == EINPROGRESS)
        CHECK(aio_suspend(list, 1, NULL) == 0 || errno == EINTR);
    CHECK_EQUAL(aio_error(&request), 0);
    CHECK_EQUAL(aio_return(&request), 1);
    return (void *)(intptr_t)byte;
}

static void *writer(void *argument)
{
    pthread_barrier_wait(&begun);
    for (int i = THREADS - 1; i >= 0; i--)
        CHECK_EQUAL(write(ends[i][1], "x", 1), 1);
    return argument;
}

int main(void)
{
    CHECK_EQUAL(pthread_barrier_init(&begun, NULL, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQUAL(pipe(ends[i]), 0);
    pthread_t other = guest_start(writer, NULL);
    CHECK_EQUAL(guest_threads(THREADS, reader), THREADS * 'x');
    guest_join(other);
    return guest_success();
}
