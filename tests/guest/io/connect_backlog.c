// SPDX-License-Identifier: MIT
// Ten threads connect to a Unix listener whose backlog takes one: the others wait until it is drained;
// each gets its own connection.
#include "io.h"

enum { CLIENTS = 10 };

static struct sockaddr_un address;
static socklen_t length;

static void *client(void *argument)
{
    int number = (int)(intptr_t)argument, answer, fd = socket(AF_UNIX, SOCK_STREAM, 0);
    blocks_next();
    CHECK(connect(fd, (struct sockaddr *)&address, length) == 0);
    CHECK(fcntl(fd, F_GETFL) == O_RDWR);
    CHECK(write(fd, &number, sizeof number) == sizeof number);
    read_whole(fd, &answer, sizeof answer);
    CHECK(answer == number * number);
    close(fd);
    return NULL;
}

int main(void)
{
    pthread_t thread[CLIENTS];
    int listener = unix_listen(SOCK_STREAM, 0, &address, &length), sum = 0;
    for (int i = 0; i < CLIENTS; i++)
        thread[i] = guest_start(client, (void *)(intptr_t)i);
    wait_blocked(CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        int number, fd = accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        read_whole(fd, &number, sizeof number);
        sum += number;
        number *= number;
        CHECK(write(fd, &number, sizeof number) == sizeof number);
        close(fd);
        yield_some(20);
    }
    for (int i = 0; i < CLIENTS; i++)
        guest_join(thread[i]);
    printf("%d connections, sum %d\n", CLIENTS, sum);
    return guest_success();
}
