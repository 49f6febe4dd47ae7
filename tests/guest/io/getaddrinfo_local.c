// SPDX-License-Identifier: MIT
// Twenty threads look up numbers, localhost and a service at the same time by getaddrinfo and getnameinfo.
#include "io.h"
#include <netdb.h>

static void *look_up(void *argument)
{
    for (int round = 0; round < 10; round++) {
        struct addrinfo *list, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
        char number[50], host[100], port[20];
        snprintf(number, sizeof number, "192.0.2.%d", (int)(intptr_t)argument + 1);
        hints.ai_flags = AI_NUMERICHOST;
        CHECK(getaddrinfo(number, "8080", &hints, &list) == 0);
        CHECK(getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV) == 0);
        CHECK(strcmp(host, number) == 0 && strcmp(port, "8080") == 0);
        freeaddrinfo(list);
        hints.ai_flags = 0;
        CHECK(getaddrinfo("localhost", NULL, &hints, &list) == 0);
        CHECK(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
        freeaddrinfo(list);
        hints.ai_flags = AI_NUMERICHOST;
        CHECK(getaddrinfo("no-number", NULL, &hints, &list) == EAI_NONAME);
    }
    return argument;
}

int main(void)
{
    printf("%ld\n", (long)guest_threads(20, look_up));
    return guest_success();
}
