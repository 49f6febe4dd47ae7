// SPDX-License-Identifier: MIT
// poll right behind a receive that found nothing, for what that would have found: by data, urgent data, a
// hang-up, an error, a time-out, another thread that takes the data first, in a thread's own memory and
// elsewhere. As programs wait that try first.
#include "io.h"

enum { EXCHANGES = 500 };

static struct pollfd elsewhere;
static int ends[2];
static pthread_barrier_t turn;

static long try(int fd)
{
    char byte;
    long result = recv(fd, &byte, 1, MSG_DONTWAIT);
    return result < 0 ? -errno : result;
}

static void *receive(void *argument)
{
    (void)argument;
    for (int i = 0; i < EXCHANGES; i++) {
        struct pollfd own = {.revents = -1}, *waiting = i % 3 ? &own : &elsewhere;
        *waiting = (struct pollfd){
            .fd = ends[0], .events = (short)(i % 2 ? POLLIN : POLLIN | POLLPRI), .revents = -1};
        long found = try(ends[0]);
        if (found == -EAGAIN) {
            CHECK_EQUAL(poll(waiting, 1, i % 5 ? -1 : 60000), 1);
            CHECK_EQUAL(waiting->revents, POLLIN);
            found = try(ends[0]);
        }
        CHECK_EQUAL(found, 1);
        CHECK_EQUAL(send(ends[0], "b", 1, 0), 1);
    }
    return NULL;
}

static void exchange(void)
{
    tcp_pair(ends);
    pthread_t thread = guest_start(receive, NULL);
    for (int i = 0; i < EXCHANGES; i++) {
        char byte;
        CHECK_EQUAL(send(ends[1], "a", 1, 0), 1);
        CHECK_EQUAL(recv(ends[1], &byte, 1, 0), 1);
    }
    guest_join(thread);
    close(ends[0]);
    close(ends[1]);
}

struct scene {
    const char *name;
    short events;
    int milliseconds;
};

static void *watch(void *argument)
{
    const struct scene *scene = argument;
    struct pollfd waiting = {.fd = ends[0], .events = scene->events, .revents = -1};
    CHECK_EQUAL(try(ends[0]), -EAGAIN);
    blocks_next();
    int result = poll(&waiting, 1, scene->milliseconds);
    printf("%s: %d %x\n", scene->name, result, (unsigned)(unsigned short)waiting.revents);
    pthread_barrier_wait(&turn);
    return NULL;
}

static int blocked;

static pthread_t begin(struct scene *scene)
{
    tcp_pair(ends);
    pthread_t thread = guest_start(watch, scene);
    wait_blocked(++blocked);
    return thread;
}

static void end(pthread_t thread)
{
    pthread_barrier_wait(&turn);
    guest_join(thread);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
}

static void hang_up(short events)
{
    pthread_t thread = begin(&(struct scene){"hang-up", events, -1});
    close(ends[1]);
    ends[1] = -1;
    end(thread);
}

static void reset(short events)
{
    struct linger linger = {.l_onoff = 1};
    pthread_t thread = begin(&(struct scene){"reset", events, -1});
    CHECK_EQUAL(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(ends[1]);
    ends[1] = -1;
    end(thread);
}

static void send_urgent(short events)
{
    pthread_t thread = begin(&(struct scene){"urgent", events, 300});
    CHECK_EQUAL(send(ends[1], "u", 1, MSG_OOB), 1);
    end(thread);
}

static void let_time_pass(short events)
{
    end(begin(&(struct scene){"time-out", events, 30}));
}

static void wake_who_asks_for_no_data(void)
{
    pthread_t thread = begin(&(struct scene){"both", POLLIN | POLLRDNORM, -1});
    CHECK_EQUAL(send(ends[1], "x", 1, 0), 1);
    end(thread);
    end(begin(&(struct scene){"writable", POLLIN | POLLOUT, -1}));
}

// Who is no descriptor any more, or never was one.
static void *ask_for_nothing(void *argument)
{
    (void)argument;
    tcp_pair(ends);
    struct pollfd waiting = {.fd = ends[0], .events = POLLIN};
    CHECK_EQUAL(try(ends[0]), -EAGAIN);
    close(ends[0]);
    CHECK_EQUAL(poll(&waiting, 1, -1), 1);
    CHECK_EQUAL(waiting.revents, POLLNVAL);
    close(ends[1]);
    tcp_pair(ends);
    CHECK_EQUAL(try(ends[0]), -EAGAIN);
    struct pollfd *volatile nowhere = (struct pollfd *)8;
    CHECK(poll(nowhere, 1, -1) < 0 && errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

int main(void)
{
    pthread_barrier_init(&turn, NULL, 2);
    exchange();
    for (int urgent = 0; urgent < 2; urgent++) {
        short events = (short)(urgent ? POLLIN | POLLPRI : POLLIN);
        hang_up(events);
        reset(events);
        send_urgent(events);
        let_time_pass(events);
    }
    hang_up(POLLIN | POLLRDHUP);
    wake_who_asks_for_no_data();
    guest_join(guest_start(ask_for_nothing, NULL));
    return guest_success();
}
