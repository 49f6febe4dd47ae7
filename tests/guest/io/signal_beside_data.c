// SPDX-License-Identifier: MIT
// What a thread waits for comes, and right behind it a signal whose handler is installed without SA_RESTART:
// the call does what it was made for, and the handler runs.
#include "handler.h"
#include <sys/eventfd.h>
#include <sys/select.h>

enum { ROUNDS = 50 };
enum kind { PIPE, EVENTS, SELECT, ACCEPT, FULL, KINDS };

static int pipe_ends[2], events, full[2], listener;
static struct sockaddr_in address;

static long call(enum kind kind)
{
    char byte = 0;
    uint64_t value;
    fd_set set;
    switch (kind) {
    case PIPE:
        return read(pipe_ends[0], &byte, 1);
    case EVENTS:
        return read(events, &value, sizeof value);
    case SELECT:
        FD_ZERO(&set);
        FD_SET(pipe_ends[0], &set);
        return select(pipe_ends[0] + 1, &set, NULL, NULL, NULL);
    case ACCEPT:
        return accept(listener, NULL, NULL);
    default:
        return write(full[1], &byte, 1);
    }
}

static void *wait_for_it(void *argument)
{
    enum kind kind = (enum kind)(intptr_t)argument;
    int before = handled;
    blocks_next();
    long result = call(kind);
    CHECK(result > 0);
    while (handled == before)
        sched_yield();
    if (kind == ACCEPT)
        CHECK_EQUAL(close((int)result), 0);
    return NULL;
}

static void let_come(enum kind kind)
{
    uint64_t one = 1;
    char bytes[4096];
    int peer;
    switch (kind) {
    case PIPE:
    case SELECT:
        CHECK_EQUAL(write(pipe_ends[1], "x", 1), 1);
        break;
    case EVENTS:
        CHECK_EQUAL(write(events, &one, sizeof one), sizeof one);
        break;
    case ACCEPT:
        peer = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQUAL(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
        CHECK_EQUAL(close(peer), 0);
        break;
    default:
        CHECK_EQUAL(read(full[0], bytes, sizeof bytes), sizeof bytes);
    }
}

static void clean_up(enum kind kind)
{
    char byte;
    if (kind == SELECT)
        CHECK_EQUAL(read(pipe_ends[0], &byte, 1), 1);
    if (kind == FULL)
        fill_up(full[1]);
}

int main(void)
{
    socklen_t size = sizeof address;
    handler_install(SIGUSR1, 0);
    CHECK(pipe(pipe_ends) == 0 && pipe(full) == 0);
    fill_up(full[1]);
    events = eventfd(0, 0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 8) == 0);
    CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < KINDS * ROUNDS; i++) {
        enum kind kind = (enum kind)(i % KINDS);
        pthread_t thread = guest_start(wait_for_it, (void *)(intptr_t)kind);
        wait_blocked(i + 1);
        yield_some(5);
        let_come(kind);
        CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
        guest_join(thread);
        clean_up(kind);
    }
    return guest_success();
}
