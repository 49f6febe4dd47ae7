// SPDX-License-Identifier: MIT
// Claims: each of these cancellation points, blocked, is cancelled: write, readv, writev, recv, recvmsg,
// send, sendto, connect, accept4, select, pselect, ppoll, epoll_wait, clock_nanosleep, usleep, sigwait,
// sigwaitinfo, sigtimedwait, sigsuspend, wait, waitid, msgrcv, mq_receive, open of a FIFO, lockf,
// sem_timedwait, recvfrom, fgets.
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "guest.h"

#define WAYS 28

static sem_t ready, never;
static int empty[2], full[2], stream[2], full_stream[2], listener, epoll, lock_file, queue;
static mqd_t messages;
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "backlog"};
static pid_t child;
static int cleaned;
static char bytes[8];

static void count(void *counter)
{
    __atomic_fetch_add((int *)counter, 1, __ATOMIC_RELAXED);
}

static void block(intptr_t way)
{
    struct iovec vector = {bytes, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    struct pollfd waiting = {.fd = empty[0], .events = POLLIN};
    struct timespec time = {1000, 0};
    struct timespec absolute = guest_timespec(guest_now(CLOCK_REALTIME) + 1000 * GUEST_SECOND);
    struct epoll_event event;
    sigset_t set;
    siginfo_t info;
    fd_set fds;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    FD_ZERO(&fds);
    FD_SET(empty[0], &fds);
    switch (way) {
    case 0:
        write(full[1], bytes, 1);
        break;
    case 1:
        readv(empty[0], &vector, 1);
        break;
    case 2:
        writev(full[1], &vector, 1);
        break;
    case 3:
        recv(stream[0], bytes, 1, 0);
        break;
    case 4:
        recvmsg(stream[0], &message, 0);
        break;
    case 5:
        send(full_stream[0], bytes, 1, 0);
        break;
    case 6:
        sendto(full_stream[0], bytes, 1, 0, NULL, 0);
        break;
    case 7:
        connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
        break;
    case 8:
        accept4(listener, NULL, NULL, 0);
        break;
    case 9:
        select(empty[0] + 1, &fds, NULL, NULL, NULL);
        break;
    case 10:
        sigemptyset(&set);
        pselect(empty[0] + 1, &fds, NULL, NULL, NULL, &set);
        break;
    case 11:
        sigemptyset(&set);
        ppoll(&waiting, 1, NULL, &set);
        break;
    case 12:
        epoll_wait(epoll, &event, 1, -1);
        break;
    case 13:
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &absolute, NULL);
        break;
    case 14:
        usleep(900000000);
        break;
    case 15:
        sigwait(&set, &number);
        break;
    case 16:
        sigwaitinfo(&set, &info);
        break;
    case 17:
        sigtimedwait(&set, &info, &time);
        break;
    case 18:
        sigemptyset(&set);
        sigsuspend(&set);
        break;
    case 19:
        wait(NULL);
        break;
    case 20:
        waitid(P_PID, (id_t)child, &info, WEXITED);
        break;
    case 21:
        msgrcv(queue, &(struct { long type; }){0}, 0, 77, 0);
        break;
    case 22:
        mq_receive(messages, bytes, sizeof(bytes), NULL);
        break;
    case 23:
        open("fifo", O_RDONLY);
        break;
    case 24:
        lockf(lock_file, F_LOCK, 0);
        break;
    case 25:
        sem_timedwait(&never, &absolute);
        break;
    case 26:
        recvfrom(stream[0], bytes, 1, MSG_WAITALL, NULL, NULL);
        break;
    case 27:
        fgets(bytes, 2, fdopen(dup(empty[0]), "r"));
        break;
    }
}

static void *body(void *way)
{
    pthread_cleanup_push(count, &cleaned);
    CHECK_EQUAL(sem_post(&ready), 0);
    block((intptr_t)way);
    dprintf(2, "way %d\n", (int)(intptr_t)way);
    CHECK(!"it was not cancelled");
    pthread_cleanup_pop(0);
    return NULL;
}

static void fill(int fd)
{
    char room[4096] = {0};
    CHECK_EQUAL(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while (write(fd, room, sizeof(room)) > 0)
        ;
    CHECK_EQUAL(errno, EAGAIN);
    CHECK_EQUAL(fcntl(fd, F_SETFL, 0), 0);
}

int main(void)
{
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = sizeof(bytes)};
    pthread_t threads[WAYS];
    char name[40];
    int held[2];
    sigset_t set;

    CHECK_EQUAL(sem_init(&ready, 0, 0), 0);
    CHECK_EQUAL(sem_init(&never, 0, 0), 0);
    CHECK(pipe(empty) == 0 && pipe(full) == 0 && pipe(held) == 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, stream), 0);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, full_stream), 0);
    fill(full[1]);
    fill(full_stream[0]);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un other = {.sun_family = AF_UNIX, .sun_path = "idle"};
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&other, sizeof(other)), 0);
    CHECK_EQUAL(listen(listener, 1), 0);
    int backlog = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQUAL(bind(backlog, (struct sockaddr *)&address, sizeof(address)), 0);
    CHECK_EQUAL(listen(backlog, 0), 0);
    CHECK_EQUAL(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)), 0);
    epoll = epoll_create1(0);
    queue = msgget(IPC_PRIVATE, 0600);
    snprintf(name, sizeof(name), "/weft-guest-%d", (int)getpid());
    messages = mq_open(name, O_CREAT | O_RDWR, 0600, &attributes);
    CHECK(queue >= 0 && messages >= 0);
    CHECK_EQUAL(mq_unlink(name), 0);
    CHECK_EQUAL(mkfifo("fifo", 0600), 0);
    lock_file = open("lock", O_CREAT | O_RDWR, 0600);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    child = fork();
    if (child == 0) {
        CHECK_EQUAL(lockf(lock_file, F_LOCK, 0), 0);
        CHECK_EQUAL(write(held[1], "x", 1), 1);
        pause();
        _exit(1);
    }
    CHECK_EQUAL(read(held[0], bytes, 1), 1);
    for (intptr_t i = 0; i < WAYS; i++)
        threads[i] = guest_start(body, (void *)i);
    for (int i = 0; i < WAYS; i++)
        CHECK_EQUAL(sem_wait(&ready), 0);
    usleep(20000); // most are blocked by now; those that are not are cancelled as they enter
    for (int i = 0; i < WAYS; i++)
        CHECK_EQUAL(pthread_cancel(threads[i]), 0);
    for (int i = 0; i < WAYS; i++)
        CHECK(guest_join(threads[i]) == PTHREAD_CANCELED);
    printf("cleaned %d\n", cleaned);
    CHECK_EQUAL(msgctl(queue, IPC_RMID, NULL), 0);
    CHECK_EQUAL(kill(child, SIGKILL), 0);
    CHECK_EQUAL(waitpid(child, NULL, 0), child);
    return guest_success();
}
