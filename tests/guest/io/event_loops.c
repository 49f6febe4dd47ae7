// SPDX-License-Identifier: MIT
// Claims: threads that have waited in epoll_wait, epoll_pwait, poll and select for another process, over and
// over, do what they did: they meet in a barrier and at a mutex, see descriptors that others add, their
// time-outs and their signals, fork, and end by pthread_exit and by cancellation.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/wait.h>
#include "io.h"

enum { LOOPS = 12, ROUNDS = 100, REST = 100000 /* ns: they sleep meanwhile */, BRIEF = 20 /* ms */ };

enum kind { EPOLL_WAIT, EPOLL_PWAIT, POLL, SELECT, KINDS };

static struct loop {
    enum kind kind;
    int fd[2]; // its own, the asking one
    int all, added, timeout;
    unsigned echoes, meetings, additions, time_outs, interruptions, children;
    pthread_t thread;
} loops[LOOPS];

static pthread_barrier_t barrier;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned met, ended;
static atomic_uint handled;

static void handle(int number)
{
    (void)number;
    atomic_fetch_add(&handled, 1);
}

// What is readable; 0: the time is over; -1: a signal came.
static int wait_readable(struct loop *loop)
{
    sigset_t none;
    struct epoll_event event;
    struct pollfd polls[] = {{.fd = loop->fd[0], .events = POLLIN}, {.fd = loop->added, .events = POLLIN}};
    struct timeval time = {0, loop->timeout * 1000};
    fd_set readable;
    int result;
    sigemptyset(&none);
    switch (loop->kind) {
    case EPOLL_WAIT:
        result = epoll_wait(loop->all, &event, 1, loop->timeout);
        return result == 1 ? event.data.fd : result;
    case EPOLL_PWAIT:
        result = epoll_pwait(loop->all, &event, 1, loop->timeout, &none);
        return result == 1 ? event.data.fd : result;
    case POLL:
        result = poll(polls, 2, loop->timeout);
        return result <= 0 ? result : polls[0].revents ? loop->fd[0] : loop->added;
    default:
        FD_ZERO(&readable);
        FD_SET(loop->fd[0], &readable);
        FD_SET(loop->added, &readable);
        result = select(FD_SETSIZE, &readable, NULL, NULL, loop->timeout < 0 ? NULL : &time);
        return result <= 0 ? result : FD_ISSET(loop->fd[0], &readable) ? loop->fd[0] : loop->added;
    }
}

static void meet(struct loop *loop)
{
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        met++;
        pthread_mutex_unlock(&mutex);
    }
    loop->meetings++;
}

static void have_child(struct loop *loop)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        loop->timeout = 1;
        _exit(wait_readable(loop) == 0 ? 7 : 1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    loop->children++;
}

static void count_end(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    ended++;
    pthread_mutex_unlock(&mutex);
}

static void answer(struct loop *loop)
{
    CHECK_EQUAL(send(loop->fd[0], "!", 1, 0), 1);
}

static void obey(struct loop *loop)
{
    char request;
    CHECK_EQUAL(recv(loop->fd[0], &request, 1, 0), 1);
    switch (request) {
    case 'e':
        loop->echoes++;
        break;
    case 'm':
        meet(loop);
        break;
    case 'f':
        have_child(loop);
        break;
    case 't':
        loop->timeout = BRIEF;
        return; // the time-out answers
    case 'x':
        pthread_exit(NULL);
    }
    answer(loop);
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    uint64_t count;
    pthread_cleanup_push(count_end, NULL);
    for (;;) {
        int readable = wait_readable(loop);
        if (readable == loop->fd[0]) {
            obey(loop);
        } else if (readable == loop->added) {
            CHECK_EQUAL(read(loop->added, &count, sizeof count), sizeof count);
            loop->additions++;
            answer(loop);
        } else if (readable == 0) {
            loop->time_outs++;
            loop->timeout = -1;
            answer(loop);
        } else {
            CHECK_EQUAL(errno, EINTR);
            loop->interruptions++;
            answer(loop);
        }
    }
    pthread_cleanup_pop(0);
    return NULL;
}

static void ask(const struct loop *loop, char request)
{
    CHECK_EQUAL(send(loop->fd[1], &request, 1, 0), 1);
}

static void hear(const struct loop *loop)
{
    char byte;
    CHECK_EQUAL(recv(loop->fd[1], &byte, 1, 0), 1);
}

static void ask_all(char request)
{
    for (int i = 0; i < LOOPS; i++)
        ask(&loops[i], request);
    for (int i = 0; i < LOOPS; i++)
        hear(&loops[i]);
}

// Another process asks them one by one.
static void warm_up(void)
{
    const struct timespec rest = {0, REST};
    int status;
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < LOOPS; i++)
            for (int round = 0; round < ROUNDS; round++) {
                ask(&loops[i], 'e');
                hear(&loops[i]);
                nanosleep(&rest, NULL);
            }
        _exit(0);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
}

static void prepare(struct loop *loop, enum kind kind)
{
    struct epoll_event event = {.events = EPOLLIN};
    *loop = (struct loop){.kind = kind, .timeout = -1, .added = eventfd(0, EFD_CLOEXEC)};
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, loop->fd), 0);
    loop->all = epoll_create1(EPOLL_CLOEXEC);
    event.data.fd = loop->fd[0];
    CHECK_EQUAL(epoll_ctl(loop->all, EPOLL_CTL_ADD, loop->fd[0], &event), 0);
}

static void add(struct loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = loop->added};
    const uint64_t one = 1;
    CHECK_EQUAL(epoll_ctl(loop->all, EPOLL_CTL_ADD, loop->added, &event), 0);
    CHECK_EQUAL(write(loop->added, &one, sizeof one), sizeof one);
    hear(loop);
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle};
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0); // but in epoll_pwait
    CHECK_EQUAL(pthread_barrier_init(&barrier, NULL, LOOPS), 0);
    for (int i = 0; i < LOOPS; i++) {
        prepare(&loops[i], i % KINDS);
        loops[i].thread = guest_start(run, &loops[i]);
    }
    warm_up();
    ask_all('m');
    ask_all('t');
    for (int i = 0; i < LOOPS; i++)
        add(&loops[i]);
    for (int i = EPOLL_PWAIT; i < LOOPS; i += KINDS) {
        CHECK_EQUAL(pthread_kill(loops[i].thread, SIGUSR1), 0);
        hear(&loops[i]);
    }
    warm_up();
    ask_all('f');
    ask_all('m');
    for (int i = 0; i < LOOPS; i++)
        if (i < LOOPS / 2)
            ask(&loops[i], 'x');
        else
            CHECK_EQUAL(pthread_cancel(loops[i].thread), 0);
    for (int i = 0; i < LOOPS; i++) {
        void *result;
        CHECK_EQUAL(pthread_join(loops[i].thread, &result), 0);
        printf("%d: %u echoes, %u meetings, %u additions, %u time-outs, %u interruptions, %u children, "
               "cancelled %d\n",
               i, loops[i].echoes, loops[i].meetings, loops[i].additions, loops[i].time_outs,
               loops[i].interruptions, loops[i].children, result == PTHREAD_CANCELED);
    }
    printf("%u met, %u ended, %u signals\n", met, ended, atomic_load(&handled));
    return guest_success();
}
