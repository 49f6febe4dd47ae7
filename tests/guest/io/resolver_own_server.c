// SPDX-License-Identifier: MIT
// Twenty threads resolve names at the same time by getaddrinfo, gethostbyname_r and res_nquery against a
// name server thread of this process, found by each thread's own _res.
#include "io.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>

static int server;
static struct sockaddr_in server_address;
static atomic_int queries;

/* Answers A for n.<number>.weft.test with 10.0.0.<number>, and everything else with no records. */
static void *serve(void *unused)
{
    for (;;) {
        unsigned char packet[512];
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t count = recvfrom(server, packet, 400, 0, (struct sockaddr *)&from, &length);
        CHECK(count >= 0);
        if (count == 0)
            return unused;
        atomic_fetch_add(&queries, 1);
        size_t end = 12; /* the question: labels, a zero, type and class */
        while (end < (size_t)count && packet[end])
            end += packet[end] + 1u;
        unsigned type = packet[end + 2];
        end += 5;
        int number = atoi((char *)packet + 15);
        memcpy(packet + 2, "\x81\x80\0\1\0\0\0\0\0\0", 10);
        if (type == ns_t_a) {
            unsigned char record[] = {0xc0, 12, 0, 1, 0,  1, 0, 0,
                                      0,    60, 0, 4, 10, 0, 0, (unsigned char)number};
            packet[7] = 1;
            memcpy(packet + end, record, sizeof record);
            end += sizeof record;
        }
        CHECK(sendto(server, packet, end, 0, (struct sockaddr *)&from, length) == (ssize_t)end);
    }
}

static void *resolve(void *argument)
{
    int self = (int)(intptr_t)argument + 1, error;
    CHECK(res_init() == 0);
    _res.nscount = 1;
    _res.nsaddr_list[0] = server_address;
    _res.options |= RES_NORELOAD;
    for (int round = 0; round < 5; round++) {
        char name[100], scratch[2000];
        unsigned char answer[512];
        struct addrinfo *list,
            hints = {.ai_family = round % 2 ? AF_INET : AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        struct hostent host, *result;
        uint32_t expected = htonl(0x0a000000u + (uint32_t)self);
        snprintf(name, sizeof name, "n.%d.weft.test.", self);
        CHECK(getaddrinfo(name, "80", &hints, &list) == 0);
        CHECK(list->ai_family == AF_INET && !list->ai_next);
        CHECK(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr == expected);
        freeaddrinfo(list);
        CHECK(gethostbyname_r(name, &host, scratch, sizeof scratch, &result, &error) == 0 && result);
        CHECK(memcmp(host.h_addr_list[0], &expected, 4) == 0);
        int length = res_nquery(&_res, name, ns_c_in, ns_t_a, answer, sizeof answer);
        CHECK(length > 16 && memcmp(answer + length - 4, &expected, 4) == 0);
    }
    res_nclose(&_res);
    return (void *)(intptr_t)self;
}

static int dns_is_consulted(void)
{
    char line[200];
    int found = 0;
    FILE *file = fopen("/etc/nsswitch.conf", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "hosts:", 6) == 0)
            found = strstr(line, "dns") && !strstr(line, "resolve") && !strstr(line, "mdns");
    return found;
}

int main(void)
{
    if (!dns_is_consulted()) {
        puts("hosts are not looked up by dns here");
        return 77;
    }
    server = inet_bound(SOCK_DGRAM, &server_address);
    pthread_t thread = guest_start(serve, NULL);
    printf("sum %ld\n", (long)guest_threads(20, resolve));
    CHECK(queries >= 20 * 5 * 3);
    CHECK(sendto(server, "", 0, 0, (struct sockaddr *)&server_address, sizeof server_address) == 0);
    guest_join(thread);
    return guest_success();
}
