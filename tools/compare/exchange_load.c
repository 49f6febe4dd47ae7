// SPDX-License-Identifier: MIT
/*
 * exchange_load: many connections to one server, each sending a message and waiting for the answer, over and
 * over; one thread on epoll. At the end one line of JSON: requests, seconds, errors, latencies in ms.
 *
 *     exchange_load --port P [--connections N] [--seconds S] [--size BYTES]
 *                   [--open HEX:BYTES] [--send HEX] [--reply HEX] [--reconnect]
 *
 * The server is on the loopback address. Without --send the message is BYTES (64) of text and must come back
 * as it is; --send and --reply name other bytes. --open is said once in each connection, before the first
 * message; its answer is so many bytes, whatever they are. --reconnect makes a connection for each message.
 * An answer that differs, and a connection that the server closes or that does not come about, is an error;
 * its connection is not used further. All connections are made before the time begins.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OPENINGS = 4 };
enum { CONNECT_SECONDS = 20, DRAIN_SECONDS = 5, CONNECTING_AT_ONCE = 256, BUFFER_SIZE = 65536 };

/* Latencies are counted in buckets, 64 to each doubling: at most 1.6 % wide. */
enum { BUCKETS_TO_DOUBLE = 64, BUCKETS = BUCKETS_TO_DOUBLE * 40 };

enum state { CLOSED, CONNECTING, OPENING, IDLE, WAITING };

struct connection {
    enum state state;
    int fd;
    int opening;    /* the one that is being said, in state OPENING */
    uint64_t since; /* when the message, or else its connection, was begun, ns; 0 between messages */
    size_t sent;
    size_t got;
};

struct bytes {
    unsigned char *data;
    size_t size;
};

static struct {
    struct bytes send;
    size_t reply_size;
} openings[OPENINGS];
static int opening_count;
static struct bytes message, reply;
static struct sockaddr_in address = {.sin_family = AF_INET};
static bool reconnect;
static bool measuring, finished;
static int poller;
static int connecting, open_count;
static uint64_t requests, errors, buckets[BUCKETS];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;
    fputs("exchange_load: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int bucket_of(uint64_t value)
{
    if (value < BUCKETS_TO_DOUBLE)
        return (int)value;
    int shift = 63 - __builtin_clzll(value) - 6;
    int bucket = (shift + 1) * BUCKETS_TO_DOUBLE + (int)(value >> shift) - BUCKETS_TO_DOUBLE;
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t bucket_value(int bucket)
{
    int shift = bucket / BUCKETS_TO_DOUBLE - 1;
    if (shift < 0)
        return (uint64_t)bucket;
    return (uint64_t)(BUCKETS_TO_DOUBLE + bucket % BUCKETS_TO_DOUBLE) << shift;
}

static double percentile(double percent)
{
    uint64_t wanted = (uint64_t)((double)requests * percent / 100.0), seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        seen += buckets[bucket];
        if (seen > wanted)
            return (double)bucket_value(bucket) / 1e6;
    }
    return 0;
}

static void watch(struct connection *connection, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(poller, operation, connection->fd, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void connection_close(struct connection *connection, bool wrong)
{
    if (connection->state == CONNECTING || connection->state == OPENING)
        connecting--;
    else
        open_count--;
    if (wrong)
        errors++;
    close(connection->fd);
    connection->state = CLOSED;
}

static void connection_connect(struct connection *connection)
{
    const int one = 1;
    *connection = (struct connection){.state = CONNECTING};
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        fail("cannot open a socket: %s", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connecting++;
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
        connection_close(connection, true);
        return;
    }
    watch(connection, EPOLLOUT | EPOLLIN, EPOLL_CTL_ADD);
}

/* Sends on; false when the connection has failed. The rest follows when the socket has room. */
static bool connection_send(struct connection *connection, const struct bytes *bytes)
{
    size_t before = connection->sent;
    while (connection->sent < bytes->size) {
        ssize_t size = send(connection->fd, bytes->data + connection->sent, bytes->size - connection->sent,
                            MSG_NOSIGNAL);
        if (size < 0 && errno == EAGAIN) {
            watch(connection, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
            return true;
        }
        if (size < 0)
            return false;
        connection->sent += (size_t)size;
    }
    if (before > 0)
        watch(connection, EPOLLIN, EPOLL_CTL_MOD);
    return true;
}

static bool connection_begin(struct connection *connection)
{
    connection->state = WAITING;
    if (connection->since == 0)
        connection->since = now();
    connection->sent = connection->got = 0;
    return connection_send(connection, &message);
}

/* The connection stands and the opening has been answered. */
static bool connection_ready(struct connection *connection)
{
    connecting--;
    open_count++;
    connection->state = IDLE;
    return measuring ? connection_begin(connection) : true;
}

/* Goes on with opening `number`, or is ready when there is none. */
static bool connection_open(struct connection *connection, int number)
{
    if (number == opening_count)
        return connection_ready(connection);
    connection->state = OPENING;
    connection->opening = number;
    connection->sent = connection->got = 0;
    if (!connection_send(connection, &openings[number].send))
        return false;
    return openings[number].reply_size > 0 || connection_open(connection, number + 1);
}

static bool connection_connected(struct connection *connection)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0)
        return false;
    watch(connection, EPOLLIN, EPOLL_CTL_MOD);
    return connection_open(connection, 0);
}

static bool connection_answered(struct connection *connection)
{
    uint64_t latency = now() - connection->since;
    if (measuring) {
        buckets[bucket_of(latency)]++;
        requests++;
    }
    connection->state = IDLE;
    connection->since = 0;
    if (!measuring)
        return true;
    if (!reconnect)
        return connection_begin(connection);
    connection_close(connection, false);
    connection_connect(connection);
    connection->since = now();
    return true;
}

static bool connection_receive(struct connection *connection)
{
    static unsigned char buffer[BUFFER_SIZE];
    size_t wanted = connection->state == OPENING ? openings[connection->opening].reply_size : reply.size;
    ssize_t size = recv(connection->fd, buffer, sizeof buffer, 0);
    if (size < 0)
        return errno == EAGAIN;
    if (size == 0 && connection->state == IDLE && finished) {
        connection_close(connection, false);
        return true;
    }
    if (size == 0 || connection->state == IDLE || connection->got + (size_t)size > wanted)
        return false;
    if (connection->state == WAITING && memcmp(buffer, reply.data + connection->got, (size_t)size) != 0)
        return false;
    connection->got += (size_t)size;
    if (connection->got < wanted)
        return true;
    return connection->state == OPENING ? connection_open(connection, connection->opening + 1)
                                        : connection_answered(connection);
}

static void connection_event(struct connection *connection, uint32_t events)
{
    bool fine = true;
    if (connection->state == CLOSED)
        return;
    if (connection->state == CONNECTING) {
        fine = connection_connected(connection);
    } else {
        if (events & EPOLLOUT)
            fine = connection_send(
                connection, connection->state == OPENING ? &openings[connection->opening].send : &message);
        if (fine && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            fine = connection_receive(connection);
    }
    if (!fine)
        connection_close(connection, true);
}

/* Handles what has happened, waiting for it until the deadline. */
static void turn(uint64_t deadline)
{
    struct epoll_event events[512];
    uint64_t time = now();
    int wait = time < deadline ? (int)((deadline - time + 999999) / 1000000) : 0;
    int count = epoll_wait(poller, events, 512, wait);
    for (int i = 0; i < count; i++)
        connection_event(events[i].data.ptr, events[i].events);
}

static struct bytes bytes_of_hex(const char *text)
{
    size_t digits = strlen(text);
    struct bytes bytes = {.data = malloc(digits / 2 + 1), .size = digits / 2};
    for (size_t i = 0; i < bytes.size; i++)
        if (sscanf(text + 2 * i, "%2hhx", &bytes.data[i]) != 1)
            fail("'%s' is not in hexadecimal digits", text);
    if (digits % 2 != 0 || digits == 0)
        fail("'%s' is not in pairs of hexadecimal digits", text);
    return bytes;
}

static long number_of(const char *text, long least, long most)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number < least || number > most)
        fail("bad number '%s'; it must be from %ld to %ld", text, least, most);
    return number;
}

static void parse_opening(char *text)
{
    char *colon = strchr(text, ':');
    if (!colon)
        fail("--open wants HEX:BYTES, not '%s'", text);
    if (opening_count == OPENINGS)
        fail("at most %d times --open", OPENINGS);
    *colon = '\0';
    if (colon != text)
        openings[opening_count].send = bytes_of_hex(text);
    openings[opening_count++].reply_size = (size_t)number_of(colon + 1, 0, BUFFER_SIZE);
}

static void message_of_size(size_t size)
{
    message = (struct bytes){.data = malloc(size), .size = size};
    for (size_t i = 0; i < size; i++)
        message.data[i] = (unsigned char)('a' + i % 26);
}

static void run(struct connection *connections, int count, int seconds)
{
    uint64_t deadline = now() + CONNECT_SECONDS * 1000000000ull;
    for (int made = 0; open_count + (int)errors < count;) {
        while (made < count && connecting < CONNECTING_AT_ONCE)
            connection_connect(&connections[made++]);
        turn(deadline);
        if (now() >= deadline)
            fail("%d of %d connections were not made within %d s", count - open_count, count,
                 CONNECT_SECONDS);
    }
    if (open_count == 0)
        fail("no connection to port %d came about", ntohs(address.sin_port));

    measuring = true;
    uint64_t begin = now(), end = begin + (uint64_t)seconds * 1000000000;
    for (int i = 0; i < count; i++)
        if (connections[i].state == IDLE && !connection_begin(&connections[i]))
            connection_close(&connections[i], true);
    while (now() < end && open_count + connecting > 0)
        turn(end);
    double elapsed = (double)(now() - begin) / 1e9;
    measuring = false;
    finished = true;

    /* An answer that never comes is an error too. */
    deadline = now() + DRAIN_SECONDS * 1000000000ull;
    for (int waiting = 1; waiting > 0 && now() < deadline;) {
        waiting = 0;
        for (int i = 0; i < count; i++)
            waiting += connections[i].state == WAITING;
        if (waiting > 0)
            turn(deadline);
    }
    for (int i = 0; i < count; i++)
        errors += connections[i].state == WAITING;
    printf("{\"requests\": %lu, \"seconds\": %.6f, \"errors\": %lu, \"p50\": %.4f, \"p90\": %.4f, \"p99\": "
           "%.4f, "
           "\"p999\": %.4f}\n",
           requests, elapsed, errors, percentile(50), percentile(90), percentile(99), percentile(99.9));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {"size", required_argument, NULL, 'z'},
        {"open", required_argument, NULL, 'o'},
        {"send", required_argument, NULL, 'm'},
        {"reply", required_argument, NULL, 'r'},
        {"reconnect", no_argument, NULL, 'e'},
        {NULL, 0, NULL, 0},
    };
    int count = 64, seconds = 3, result;
    message_of_size(64);
    while ((result = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (result) {
        case 'p':
            address.sin_port = htons((uint16_t)number_of(optarg, 1, 65535));
            break;
        case 'c':
            count = (int)number_of(optarg, 1, 1 << 20);
            break;
        case 's':
            seconds = (int)number_of(optarg, 1, 3600);
            break;
        case 'z':
            message_of_size((size_t)number_of(optarg, 1, BUFFER_SIZE));
            break;
        case 'o':
            parse_opening(optarg);
            break;
        case 'm':
            message = bytes_of_hex(optarg);
            break;
        case 'r':
            reply = bytes_of_hex(optarg);
            break;
        case 'e':
            reconnect = true;
            break;
        default:
            return 2;
        }
    }
    if (address.sin_port == 0 || optind < argc)
        fail("usage: exchange_load --port P [OPTION...]");
    if (reply.size == 0)
        reply = message;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct connection *connections = calloc((size_t)count, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || poller < 0)
        fail("%s", strerror(errno));
    run(connections, count, seconds);
    return 0;
}
