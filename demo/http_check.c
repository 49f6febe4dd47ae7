// SPDX-License-Identifier: MIT
/*
 * http_check: plays the same conversations to HTTP servers and requires the same answers of all.
 *
 *     http_check SERVER...
 *
 * Each SERVER is started with `--port 0 --body 26`. A conversation is a list of pieces, each sent by one
 * write; then the sending side is shut down and everything up to the end of the stream must be as expected.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\n"
#define OK   HEAD "abcdefghijklmnopqrstuvwxyz"
#define BAD  "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define GET  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

static const struct conversation {
    const char *name;
    const char *pieces[5];
    const char *expected;
} conversations[] = {
    {"one request", {GET}, OK},
    {"keep-alive", {GET, GET, GET}, OK OK OK},
    {"pipelined", {GET GET GET GET}, OK OK OK OK},
    {"split request", {"GET / HT", "TP/1.1\r\nHost: x\r", "\n\r", "\n"}, OK},
    {"pipelined and split", {GET GET "GET /", " HTTP/1.1\r\n\r\n" GET}, OK OK OK OK},
    {"head", {"HEAD / HTTP/1.1\r\n\r\n" GET}, HEAD OK},
    {"body skipped", {"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab", "cde" GET}, OK OK},
    {"close", {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n" GET}, OK},
    {"http 1.0 closes", {"GET / HTTP/1.0\r\n\r\n" GET}, OK},
    {"http 1.0 kept alive", {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET}, OK OK},
    {"stray carriage return", {"GET / HTTP/1.1\r\nA: b\r\r\n\r\n" GET}, OK OK},
    {"bad request", {GET "what?\r\n\r\n" GET}, OK BAD},
    {"nothing", {NULL}, ""},
};

struct server {
    pid_t pid;
    int port;
};

static void start(const char *path, struct server *server)
{
    int output[2];
    FILE *lines;

    if (pipe(output) != 0 || (server->pid = fork()) < 0) {
        perror("http_check");
        exit(1);
    }
    if (server->pid == 0) {
        dup2(output[1], STDOUT_FILENO);
        close(output[0]);
        close(output[1]);
        execl(path, path, "--port", "0", "--body", "26", (char *)NULL);
        perror(path);
        _exit(127);
    }
    close(output[1]);
    lines = fdopen(output[0], "r");
    if (lines == NULL || fscanf(lines, "listening on %d", &server->port) != 1)
        server->port = 0;
    if (lines != NULL)
        fclose(lines);
}

/* Sends the pieces and returns the size of all that came back, or -1. */
static ssize_t converse(const struct conversation *conversation, int port, char *answer, size_t room)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval limit = {.tv_sec = 10};
    int one = 1;
    size_t used = 0;
    ssize_t size = -1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        goto out;
    for (size_t i = 0; i < 5 && conversation->pieces[i] != NULL; i++) {
        if (write(fd, conversation->pieces[i], strlen(conversation->pieces[i])) < 0)
            goto out;
        usleep(2000); /* so that pieces usually arrive apart; the answer does not depend on it */
    }
    shutdown(fd, SHUT_WR);
    while ((size = read(fd, answer + used, room - used)) > 0)
        used += (size_t)size;
out:
    if (size < 0)
        perror(conversation->name);
    close(fd);
    return size < 0 ? -1 : (ssize_t)used;
}

static int check_server(const char *path)
{
    struct server server;
    char answer[4096];
    int failures = 0;

    start(path, &server);
    for (size_t i = 0; server.port != 0 && i < sizeof conversations / sizeof conversations[0]; i++) {
        const char *expected = conversations[i].expected;
        ssize_t size = converse(&conversations[i], server.port, answer, sizeof answer);

        if (size == (ssize_t)strlen(expected) && memcmp(answer, expected, (size_t)size) == 0)
            continue;
        printf("%s: %s: got %zd bytes instead of %zu:\n%.*s\n", path, conversations[i].name, size,
               strlen(expected), size > 0 ? (int)size : 0, answer);
        failures++;
    }
    if (server.port == 0) {
        printf("%s: did not start\n", path);
        failures++;
    }
    kill(server.pid, SIGTERM);
    waitpid(server.pid, NULL, 0);
    return failures;
}

int main(int argc, char **argv)
{
    int failures = 0;

    for (int i = 1; i < argc; i++)
        failures += check_server(argv[i]);
    printf("%d servers, %zu conversations each, %d failures\n", argc - 1,
           sizeof conversations / sizeof conversations[0], failures);
    return failures != 0;
}
