// SPDX-License-Identifier: MIT
// Threads that hand work to each other through pipes, socket pairs and eventfds, made before the first thread
// and behind it; and what must not be taken for the other end: a number that was used again, a duplicate.
#include "io.h"

#include <sys/eventfd.h>

enum { TURNS = 2000, READERS = 4, TOKENS = 4000, ROOM = 64 };

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

static atomic_int taken;

static void *take(void *argument)
{
    char token[2];
    long count;
    while ((count = read(*(int *)argument, token, sizeof token)) > 0)
        atomic_fetch_add(&taken, (int)count);
    CHECK_EQUAL(count, 0);
    return NULL;
}

// Each byte wakes one of several readers; the end of all wakes all.
static void share(void)
{
    int fds[2];
    pthread_t readers[READERS];
    CHECK_EQUAL(pipe(fds), 0);
    for (int i = 0; i < READERS; i++)
        readers[i] = guest_start(take, &fds[0]);
    for (int i = 0; i < TOKENS; i++) {
        CHECK_EQUAL(write(fds[1], "xx", (size_t)(1 + i % 2)), 1 + i % 2);
        if (i % 3 == 0)
            sched_yield();
    }
    close(fds[1]);
    for (int i = 0; i < READERS; i++)
        guest_join(readers[i]);
    close(fds[0]);
    printf("taken: %d of %d\n", taken, TOKENS + TOKENS / 2);
}

static void *wait_for_either(void *argument)
{
    struct pollfd waiting = {.fd = *(int *)argument, .events = POLLIN};
    blocks_next();
    CHECK_EQUAL(poll(&waiting, 1, -1), 1);
    CHECK_EQUAL(waiting.revents, POLLIN);
    return NULL;
}

// Who polls is told, whoever else is, and takes nothing.
static void observe(void)
{
    static int blocked;
    int kinds[][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    CHECK_EQUAL(pipe(kinds[0]), 0);
    unix_pair(SOCK_STREAM, kinds[1]);
    kinds[2][0] = kinds[2][1] = eventfd(0, 0);
    for (int i = 0; i < 3; i++) {
        uint64_t number = 1;
        pthread_t observers[2];
        for (int j = 0; j < 2; j++)
            observers[j] = guest_start(wait_for_either, &kinds[i][0]);
        wait_blocked(blocked += 2);
        CHECK_EQUAL(write(kinds[i][1], &number, sizeof number), sizeof number);
        for (int j = 0; j < 2; j++)
            guest_join(observers[j]);
        CHECK_EQUAL(read(kinds[i][0], &number, sizeof number), sizeof number);
        CHECK_EQUAL(number, 1);
    }
    close_both(kinds[0]);
    close_both(kinds[1]);
    close(kinds[2][0]);
    puts("observed");
}

struct scene {
    int fd;
    long result;
    char byte;
};

static void *receive(void *argument)
{
    struct scene *scene = argument;
    blocks_next();
    scene->result = read(scene->fd, &scene->byte, 1);
    return NULL;
}

// The pipe's reading number is another thing's now, which has a reader, too; the pipe goes on by a duplicate.
static void use_number_again(void)
{
    int fds[2], others[2];
    struct scene at_pipe = {0}, at_other = {0};
    CHECK_EQUAL(pipe(fds), 0);
    at_pipe.fd = dup(fds[0]);
    CHECK(at_pipe.fd >= 0);
    unix_pair(SOCK_STREAM, others);
    at_other.fd = dup2(others[0], fds[0]);
    CHECK_EQUAL(at_other.fd, fds[0]);
    int blocked = blocked_count;
    pthread_t other = guest_start(receive, &at_other), reader = guest_start(receive, &at_pipe);
    wait_blocked(blocked + 2);
    CHECK_EQUAL(write(fds[1], "p", 1), 1);
    guest_join(reader);
    CHECK_EQUAL(at_pipe.result, 1);
    CHECK_EQUAL(at_pipe.byte, 'p');
    CHECK_EQUAL(at_other.result, 0); // it waits still
    CHECK_EQUAL(write(others[1], "o", 1), 1);
    guest_join(other);
    CHECK_EQUAL(at_other.byte, 'o');
    close(at_pipe.fd);
    close_both(fds);
    close_both(others);
    puts("used again");
}

// Behind a short read: the end, O_NONBLOCK, a byte that is there already.
static void read_again(void)
{
    int fds[2];
    char bytes[ROOM];
    CHECK_EQUAL(pipe(fds), 0);
    CHECK_EQUAL(write(fds[1], "abc", 3), 3);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 3);
    CHECK_EQUAL(write(fds[1], "de", 2), 2);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 2);
    CHECK_EQUAL(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    CHECK(read(fds[0], bytes, sizeof bytes) == -1 && errno == EAGAIN);
    CHECK_EQUAL(write(fds[1], "f", 1), 1);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 1);
    CHECK_EQUAL(fcntl(fds[0], F_SETFL, 0), 0);
    CHECK_EQUAL(write(fds[1], "gh", 2), 2);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 2);
    close(fds[1]);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 0);
    CHECK_EQUAL(read(fds[0], bytes, sizeof bytes), 0);
    close(fds[0]);
    puts("read again");
}

int main(void)
{
    int there[2], back[2];
    CHECK_EQUAL(pipe(there), 0); // before any thread
    CHECK_EQUAL(pipe(back), 0);
    exchange("earlier pipes", (struct end){back[0], there[1]}, (struct end){there[0], back[1]});
    exchange_all();
    share();
    observe();
    use_number_again();
    read_again();
    exchange("earlier pipes", (struct end){back[0], there[1]}, (struct end){there[0], back[1]});
    return guest_success();
}
