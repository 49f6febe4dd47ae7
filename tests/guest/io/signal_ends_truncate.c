// SPDX-License-Identifier: MIT
// truncate and open wait for the holder of a lease; a handler without SA_RESTART ends the wait.
#include "handler.h"

static atomic_int returned;

static int call(int which)
{
    return which == 0 ? truncate("file", 3) : open("file", O_WRONLY);
}

static void *caller(void *which)
{
    CHECK_FAILS(call((int)(intptr_t)which), EINTR);
    returned = 1;
    return NULL;
}

int main(void)
{
    handler_install(SIGUSR1, 0);
    CHECK(signal(SIGIO, SIG_IGN) != SIG_ERR);
    close(open("file", O_CREAT | O_WRONLY, 0600));
    int holder = open("file", O_RDONLY);
    if (fcntl(holder, F_SETLEASE, F_RDLCK) != 0)
        return 77;
    for (int i = 0; i < 2; i++) {
        returned = 0;
        pthread_t thread = guest_start(caller, (void *)(intptr_t)i);
        signal_until(thread, &returned);
        guest_join(thread);
    }
    puts("truncate, open: EINTR");
    return guest_success();
}
