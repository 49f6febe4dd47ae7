// SPDX-License-Identifier: MIT
// Two threads that hand a number to and fro through pipes, socket pairs and eventfds, made before the first
// thread and behind it.
#include "io.h"

#include <sys/eventfd.h>

enum { TURNS = 2000, ROOM = 64 };

struct end {
    int in, out;
};

// Who is asked answers with what was asked, plus one. More room than bytes: every read is short.
static void *answer(void *argument)
{
    struct end *end = argument;
    for (int i = 0; i < TURNS; i++) {
        uint64_t number[ROOM];
        CHECK_EQUAL(read(end->in, number, sizeof number), sizeof *number);
        CHECK_EQUAL(*number, 2 * i + 1);
        ++*number;
        CHECK_EQUAL(write(end->out, number, sizeof *number), sizeof *number);
    }
    return NULL;
}

static void exchange(const char *name, struct end asks, struct end answers)
{
    pthread_t thread = guest_start(answer, &answers);
    for (int i = 0; i < TURNS; i++) {
        uint64_t number[ROOM] = {(uint64_t)(2 * i + 1)};
        CHECK_EQUAL(write(asks.out, number, sizeof *number), sizeof *number);
        CHECK_EQUAL(read(asks.in, number, sizeof number), sizeof *number);
        CHECK_EQUAL(*number, 2 * i + 2);
    }
    guest_join(thread);
    printf("%s: %d times to and fro\n", name, TURNS);
}

static void close_both(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

// All kinds; a program's first thread is that of its first exchange.
static void exchange_all(void)
{
    static const struct {
        const char *name;
        int type;
    } types[] = {{"stream", SOCK_STREAM}, {"datagram", SOCK_DGRAM}, {"packets", SOCK_SEQPACKET}};
    int there[2], back[2];
    CHECK_EQUAL(pipe(there), 0);
    CHECK_EQUAL(pipe2(back, O_CLOEXEC), 0);
    exchange("pipes", (struct end){back[0], there[1]}, (struct end){there[0], back[1]});
    close_both(there);
    close_both(back);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        unix_pair(types[i].type, there);
        exchange(types[i].name, (struct end){there[0], there[0]}, (struct end){there[1], there[1]});
        close_both(there);
    }
    there[0] = eventfd(0, 0);
    there[1] = eventfd(0, EFD_CLOEXEC);
    CHECK(there[0] >= 0 && there[1] >= 0);
    exchange("eventfds", (struct end){there[0], there[1]}, (struct end){there[1], there[0]});
    close_both(there);
}

int main(void)
{
    int there[2], back[2];
    CHECK_EQUAL(pipe(there), 0); // before any thread
    CHECK_EQUAL(pipe(back), 0);
    exchange("earlier pipes", (struct end){back[0], there[1]}, (struct end){there[0], back[1]});
    exchange_all();
    exchange("earlier pipes", (struct end){back[0], there[1]}, (struct end){there[0], back[1]});
    return guest_success();
}
