// SPDX-License-Identifier: MIT
// A recv or accept with SO_RCVTIMEO that a signal interrupts is EINTR even with SA_RESTART; so is a write
// with SO_SNDTIMEO, and a sendfile or splice from or to such a socket.
#include "handler.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

static int fds[2], listener, pipe_full[2], pipe_empty[2], file;
static atomic_int returned;

static void *caller(void *argument)
{
    char byte = 0;
    if (argument == (void *)0)
        CHECK_FAILS(recv(fds[0], &byte, 1, 0), EINTR);
    else if (argument == (void *)1)
        CHECK_FAILS(accept(listener, NULL, NULL), EINTR);
    else if (argument == (void *)2)
        CHECK_FAILS(write(fds[1], &byte, 1), EINTR);
    else if (argument == (void *)3)
        CHECK_FAILS(sendfile(fds[1], file, NULL, 4096), EINTR);
    else if (argument == (void *)4)
        CHECK_FAILS(splice(pipe_full[0], NULL, fds[1], NULL, 1, 0), EINTR);
    else
        CHECK_FAILS(splice(fds[1], NULL, pipe_empty[1], NULL, 1, 0), EINTR);
    returned = 1;
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    handler_install(SIGUSR1, SA_RESTART);
    unix_pair(SOCK_STREAM, fds);
    listener = tcp_listen(1, &address);
    set_timeout(fds[0], SO_RCVTIMEO, 30000);
    set_timeout(fds[1], SO_SNDTIMEO, 30000);
    set_timeout(fds[1], SO_RCVTIMEO, 30000);
    set_timeout(listener, SO_RCVTIMEO, 30000);
    CHECK(pipe(pipe_full) == 0 && pipe(pipe_empty) == 0 && write(pipe_full[1], "x", 1) == 1);
    file = memfd_create("file", 0);
    CHECK(file >= 0 && ftruncate(file, 4096) == 0);
    for (int i = 0; i < 6; i++) {
        if (i == 2)
            fill_up(fds[1]);
        returned = 0;
        pthread_t thread = guest_start(caller, (void *)(intptr_t)i);
        signal_until(thread, &returned);
        guest_join(thread);
    }
    puts("recv, accept, write, sendfile, splice to and from: EINTR");
    return guest_success();
}
