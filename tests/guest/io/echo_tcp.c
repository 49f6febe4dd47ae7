// SPDX-License-Identifier: MIT
// A thread-per-connection TCP echo server and 200 client threads in one process: every byte comes back.
#include "echo.h"

int main(void)
{
    echo_address_length = sizeof(struct sockaddr_in);
    echo_listener = tcp_listen(ECHO_CLIENTS, (struct sockaddr_in *)&echo_address);
    printf("%d clients\n", echo_all());
    return guest_success();
}
