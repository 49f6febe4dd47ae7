// SPDX-License-Identifier: MIT
// A descriptor passed by SCM_RIGHTS to a thread that is blocked in recvmsg works there, also after its
// sender closed it: the receiver blocks in a read of the passed pipe. MSG_CMSG_CLOEXEC is kept.
#include "io.h"

static int fds[2];

static void *receiver(void *unused)
{
    char byte, text[10];
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    for (int round = 0; round < 2; round++) {
        struct iovec piece = {&byte, 1};
        struct msghdr message = {
            .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        int passed[2];
        blocks_next();
        CHECK(recvmsg(fds[0], &message, round ? MSG_CMSG_CLOEXEC : 0) == 1);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        CHECK(head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof passed));
        memcpy(passed, CMSG_DATA(head), sizeof passed);
        CHECK(fcntl(passed[0], F_GETFD) == (round ? FD_CLOEXEC : 0));
        blocks_next();
        CHECK(read(passed[0], text, sizeof text) == 6);
        printf("%.6s\n", text);
        CHECK(write(passed[1], "answer", 6) == 6);
        close(passed[0]);
        close(passed[1]);
    }
    return unused;
}

int main(void)
{
    unix_pair(SOCK_STREAM, fds);
    pthread_t thread = guest_start(receiver, NULL);
    for (int round = 0; round < 2; round++) {
        int there[2], back[2], passed[2];
        char text[10];
        union {
            struct cmsghdr head;
            char space[CMSG_SPACE(sizeof passed)];
        } control = {.head = {CMSG_LEN(sizeof passed), SOL_SOCKET, SCM_RIGHTS}};
        struct iovec piece = {"p", 1};
        struct msghdr message = {
            .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        CHECK(pipe(there) == 0 && pipe(back) == 0);
        passed[0] = there[0];
        passed[1] = back[1];
        memcpy(CMSG_DATA(&control.head), passed, sizeof passed);
        wait_blocked(round * 2 + 1);
        CHECK(sendmsg(fds[1], &message, 0) == 1);
        close(there[0]);
        close(back[1]);
        wait_blocked(round * 2 + 2);
        CHECK(write(there[1], "passed", 6) == 6);
        CHECK(read(back[0], text, sizeof text) == 6 && memcmp(text, "answer", 6) == 0);
        CHECK(read(back[0], text, sizeof text) == 0);
    }
    guest_join(thread);
    return guest_success();
}
