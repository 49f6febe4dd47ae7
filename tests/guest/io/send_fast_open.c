// SPDX-License-Identifier: MIT
// A blocking send with MSG_FASTOPEN to a server of which no cookie is known connects first and then sends
// all, by sendto, sendmsg and sendmmsg.
#include "io.h"

enum { SERVED = 3 };

static struct sockaddr_in address;

static void *serve(void *argument)
{
    int listener = *(int *)argument;
    for (int i = 0; i < SERVED; i++) {
        char text[16] = "";
        int peer = accept(listener, NULL, NULL);
        CHECK(peer >= 0);
        CHECK_EQUAL(recv(peer, text, 5, MSG_WAITALL), 5);
        printf("got %s\n", text);
        CHECK_EQUAL(close(peer), 0);
    }
    return NULL;
}

static int stream(void)
{
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(descriptor >= 0);
    return descriptor;
}

int main(void)
{
    int backlog = 5, listener = stream();
    socklen_t size = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQUAL(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &backlog, sizeof backlog), 0);
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQUAL(listen(listener, 5), 0);
    CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    pthread_t server = guest_start(serve, &listener);

    struct iovec part = {"hello", 5};
    struct mmsghdr message = {
        .msg_hdr = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1}};
    const struct sockaddr *to = (struct sockaddr *)&address;
    CHECK_EQUAL(sendto(stream(), "first", 5, MSG_FASTOPEN, to, sizeof address), 5);
    CHECK_EQUAL(sendmsg(stream(), &message.msg_hdr, MSG_FASTOPEN), 5);
    CHECK_EQUAL(sendmmsg(stream(), &message, 1, MSG_FASTOPEN), 1);
    CHECK_EQUAL(message.msg_len, 5);
    guest_join(server);
    return guest_success();
}
