// SPDX-License-Identifier: MIT
// A thread-per-connection Unix stream echo server and 200 client threads in one process: every byte comes
// back.
#include "echo.h"

int main(void)
{
    echo_listener = unix_listen(SOCK_STREAM, 20, (struct sockaddr_un *)&echo_address, &echo_address_length);
    printf("%d clients\n", echo_all());
    return guest_success();
}
