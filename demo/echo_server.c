// SPDX-License-Identifier: MIT
/*
 * echo_server: the textbook server, one thread per connection and blocking calls throughout.
 *
 *     echo_server [PORT]        PORT 0 takes any free port; 7000 when not given
 *
 * It listens on the loopback address and prints `listening on PORT` once clients can connect.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char buffer[4096];

    for (;;) {
        ssize_t size = read(fd, buffer, sizeof buffer);

        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0 || write_all(fd, buffer, (size_t)size) != 0)
            break;
    }
    close(fd);
    return NULL;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 65535) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        perror("echo_server: listen");
        exit(1);
    }
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 7000);
    pthread_attr_t detached;

    signal(SIGPIPE, SIG_IGN);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        pthread_t thread;
        int error;
        int fd = accept(listener, NULL, NULL);

        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            perror("echo_server: accept");
            if (errno != EMFILE && errno != ENFILE)
                return 1;
            usleep(10000);
            continue;
        }
        error = pthread_create(&thread, &detached, serve, (void *)(intptr_t)fd);
        if (error != 0) {
            fprintf(stderr, "echo_server: pthread_create: %s\n", strerror(error));
            close(fd);
        }
    }
}
