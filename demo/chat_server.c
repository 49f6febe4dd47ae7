// SPDX-License-Identifier: MIT
/*
 * chat_server: one thread per client; what a client says goes to all others.
 *
 *     chat_server [PORT]                            PORT 0 takes any free port; 7001 when not given
 *     chat_server --self-test [CLIENTS [LINES]]     20 clients with 50 lines each when not given
 *
 * A client's first line is its nickname; `/nick NAME` changes it and `/quit` leaves. The list of clients is
 * protected by one mutex, which is held during a broadcast, so everybody sees lines in the same order.
 *
 * The self-test runs the server and all clients in this process, over loopback, a reading and a writing
 * thread per client. Each client must get every line of every other, in order. The summary on stdout does
 * not depend on timing; the exit code is 0 when nothing was lost.
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

enum { LINE_SIZE = 512, NAME_SIZE = 32 };

struct client {
    struct client *next; /* protected by clients_mutex, as is name */
    FILE *in;
    int fd;
    char name[NAME_SIZE];
};

static pthread_mutex_t clients_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct client *clients;

static void check(int error, const char *what)
{
    if (error != 0) {
        fprintf(stderr, "chat_server: %s: %s\n", what, strerror(error));
        exit(1);
    }
}

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

/* Sends a line to all clients but one. The caller holds clients_mutex. A client that is gone is skipped. */
static void broadcast(const struct client *except, const char *line)
{
    for (struct client *client = clients; client != NULL; client = client->next)
        if (client != except)
            write_all(client->fd, line, strlen(line));
}

static void set_name(struct client *client, const char *name)
{
    snprintf(client->name, sizeof client->name, "%.*s", NAME_SIZE - 1, *name != '\0' ? name : "nobody");
}

static void join_chat(struct client *client, const char *name)
{
    char line[LINE_SIZE];

    pthread_mutex_lock(&clients_mutex);
    set_name(client, name);
    client->next = clients;
    clients = client;
    snprintf(line, sizeof line, "* %s joined\n", client->name);
    broadcast(NULL, line);
    pthread_mutex_unlock(&clients_mutex);
}

static void leave_chat(struct client *client)
{
    char line[LINE_SIZE];

    pthread_mutex_lock(&clients_mutex);
    for (struct client **link = &clients; *link != NULL; link = &(*link)->next)
        if (*link == client) {
            *link = client->next;
            break;
        }
    snprintf(line, sizeof line, "* %s left\n", client->name);
    broadcast(client, line);
    pthread_mutex_unlock(&clients_mutex);
}

static void say(struct client *client, const char *text)
{
    char line[LINE_SIZE + NAME_SIZE + 8];

    pthread_mutex_lock(&clients_mutex);
    if (strncmp(text, "/nick ", 6) == 0) {
        char before[NAME_SIZE];

        memcpy(before, client->name, sizeof before);
        set_name(client, text + 6);
        snprintf(line, sizeof line, "* %s is now %s\n", before, client->name);
    } else {
        snprintf(line, sizeof line, "<%s> %s\n", client->name, text);
    }
    broadcast(client, line);
    pthread_mutex_unlock(&clients_mutex);
}

static void *serve(void *argument)
{
    struct client *client = argument;
    char line[LINE_SIZE];

    if (fgets(line, sizeof line, client->in) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        join_chat(client, line);
        while (fgets(line, sizeof line, client->in) != NULL) {
            line[strcspn(line, "\r\n")] = '\0';
            if (strcmp(line, "/quit") == 0)
                break;
            say(client, line);
        }
        leave_chat(client);
    }
    fclose(client->in);
    free(client);
    return NULL;
}

static int listen_on(int port, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)address, sizeof *address) != 0 || listen(fd, 65535) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &length) != 0)
        check(errno, "listen");
    return fd;
}

static void *accept_forever(void *argument)
{
    int listener = (int)(intptr_t)argument;

    for (;;) {
        struct client *client;
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            check(errno, "accept");
        client = calloc(1, sizeof *client);
        if (client == NULL || (client->in = fdopen(fd, "r")) == NULL)
            check(errno, "client");
        client->fd = fd;
        check(pthread_create(&thread, NULL, serve, client), "pthread_create");
        pthread_detach(thread);
    }
    return NULL;
}

/* One client of the self-test. */
struct visitor {
    pthread_t reader;
    pthread_t writer;
    FILE *in;
    unsigned number;
    unsigned *next_line; /* by sender: the line that must come next */
    unsigned long delivered;
    unsigned long misplaced;
};

static unsigned visitor_count = 20;
static unsigned line_count = 50;
static pthread_barrier_t all_joined;

static void *visitor_write(void *argument)
{
    struct visitor *visitor = argument;
    char line[64];

    for (unsigned i = 0; i < line_count; i++) {
        int size = snprintf(line, sizeof line, "line %u\n", i);

        if (write_all(fileno(visitor->in), line, (size_t)size) != 0)
            check(errno, "write");
    }
    return NULL;
}

static void *visitor_read(void *argument)
{
    struct visitor *visitor = argument;
    unsigned long expected = (unsigned long)(visitor_count - 1) * line_count;
    char line[LINE_SIZE];
    char name[NAME_SIZE + 16];
    int size = snprintf(name, sizeof name, "visitor-%u\n", visitor->number);

    write_all(fileno(visitor->in), name, (size_t)size);
    snprintf(name, sizeof name, "* visitor-%u joined\n", visitor->number);
    while (fgets(line, sizeof line, visitor->in) != NULL && strcmp(line, name) != 0)
        continue;
    pthread_barrier_wait(&all_joined);
    check(pthread_create(&visitor->writer, NULL, visitor_write, visitor), "pthread_create");
    while (visitor->delivered < expected && fgets(line, sizeof line, visitor->in) != NULL) {
        unsigned sender;
        unsigned number;

        if (sscanf(line, "<visitor-%u> line %u", &sender, &number) != 2)
            continue;
        visitor->delivered++;
        if (sender >= visitor_count || number != visitor->next_line[sender]++)
            visitor->misplaced++;
    }
    pthread_join(visitor->writer, NULL);
    write_all(fileno(visitor->in), "/quit\n", 6);
    while (fgets(line, sizeof line, visitor->in) != NULL)
        continue;
    fclose(visitor->in);
    return NULL;
}

static int self_test(void)
{
    struct visitor *visitors = calloc(visitor_count, sizeof *visitors);
    unsigned long expected = (unsigned long)visitor_count * (visitor_count - 1) * line_count;
    unsigned long delivered = 0;
    unsigned long misplaced = 0;
    struct sockaddr_in address;
    int listener = listen_on(0, &address);
    pthread_t server;

    if (visitors == NULL)
        check(errno, "calloc");
    check(pthread_barrier_init(&all_joined, NULL, visitor_count), "pthread_barrier_init");
    check(pthread_create(&server, NULL, accept_forever, (void *)(intptr_t)listener), "pthread_create");
    for (unsigned i = 0; i < visitor_count; i++) {
        struct visitor *visitor = &visitors[i];
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
            check(errno, "connect");
        visitor->number = i;
        visitor->in = fdopen(fd, "r");
        visitor->next_line = calloc(visitor_count, sizeof *visitor->next_line);
        if (visitor->in == NULL || visitor->next_line == NULL)
            check(errno, "visitor");
        check(pthread_create(&visitor->reader, NULL, visitor_read, visitor), "pthread_create");
    }
    for (unsigned i = 0; i < visitor_count; i++) {
        pthread_join(visitors[i].reader, NULL);
        delivered += visitors[i].delivered;
        misplaced += visitors[i].misplaced;
        free(visitors[i].next_line);
    }
    free(visitors);
    printf("%u clients, %u lines each: %lu of %lu delivered, %lu out of order\n", visitor_count, line_count,
           delivered, expected, misplaced);
    return delivered != expected || misplaced != 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    int listener;

    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "--self-test") == 0) {
        visitor_count = argc > 2 ? (unsigned)atoi(argv[2]) : visitor_count;
        line_count = argc > 3 ? (unsigned)atoi(argv[3]) : line_count;
        return self_test();
    }
    listener = listen_on(argc > 1 ? atoi(argv[1]) : 7001, &address);
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);
    accept_forever((void *)(intptr_t)listener);
}
