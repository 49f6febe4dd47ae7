// SPDX-License-Identifier: MIT
// A process that is not in the foreground of its terminal. A read stops it by SIGTTIN although nothing is
// there to be read; it fails with EIO when the thread ignores or blocks that, or the process group is
// orphaned, and with EINTR behind a handler. SIGTTOU: who blocks it changes the terminal, writes to it under
// TOSTOP and takes the foreground, though the main thread does not block it; a handler ends the change.
#include "handler.h"
#include "pty.h"

static int slave;

static void *fails(void *error)
{
    char text[10];
    struct iovec part = {text, sizeof text};
    CHECK_FAILS(read(slave, text, sizeof text), (int)(intptr_t)error);
    CHECK_FAILS(readv(slave, &part, 1), (int)(intptr_t)error);
    return NULL;
}

static void default_action(void)
{
    fails((void *)0);
}

static void ignored(void)
{
    signal(SIGTTIN, SIG_IGN);
    guest_join(guest_start(fails, (void *)EIO));
}

/* The parent of its process group's only member ends, and has been in the same session. */
static void orphaned(void)
{
    int ends[2], status;
    char none;
    pid_t parent = getpid(), child;
    CHECK(pipe(ends) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int above[2];
        CHECK(pipe(above) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child > 0)
            _exit(0);
        alarm(20);
        CHECK(close(above[1]) == 0 && read(above[0], &none, 1) == 0 && setpgid(0, 0) == 0);
        become_threaded();
        guest_join(guest_start(fails, (void *)EIO));
        CHECK(write(ends[1], "y", 1) == 1);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0 && getpid() == parent);
    CHECK(close(ends[1]) == 0 && read(ends[0], &none, 1) == 1);
}

static void *handles(void *unused)
{
    struct termios mode;
    CHECK(tcgetattr(slave, &mode) == 0);
    CHECK_FAILS(tcsetattr(slave, TCSANOW, &mode), EINTR);
    CHECK(handled > 0);
    handled = 0;
    fails((void *)EINTR);
    CHECK(handled > 0);
    return unused;
}

static void by_handler(void)
{
    handler_install(SIGTTIN, 0);
    handler_install(SIGTTOU, 0);
    guest_join(guest_start(handles, NULL));
}

static void *blocks(void *unused)
{
    struct termios mode;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTTIN);
    sigaddset(&set, SIGTTOU);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(tcgetattr(slave, &mode) == 0);
    mode.c_lflag |= TOSTOP;
    CHECK(tcsetattr(slave, TCSANOW, &mode) == 0);
    CHECK(tcflush(slave, TCIFLUSH) == 0);
    CHECK(write(slave, "abc", 3) == 3);
    fails((void *)EIO);
    CHECK(tcsetpgrp(slave, getpgrp()) == 0);
    return unused;
}

static void blocked(void)
{
    guest_join(guest_start(blocks, NULL));
}

/* Returns the status of a child in the background that does it; stopped it is killed. */
static int in_background(void (*what)(void))
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(20);
        CHECK(setpgid(0, 0) == 0);
        become_threaded();
        what();
        _exit(0);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    if (WIFSTOPPED(status))
        CHECK(kill(child, SIGKILL) == 0);
    return status;
}

static void leader(void)
{
    int master;
    alarm(30);
    CHECK(setsid() == getpid());
    pty_open(&master, &slave);
    CHECK(ioctl(slave, TIOCSCTTY, 0) == 0);
    int status = in_background(default_action);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    CHECK_EQUAL(in_background(ignored), 0);
    CHECK_EQUAL(in_background(orphaned), 0);
    CHECK_EQUAL(in_background(by_handler), 0);
    CHECK_EQUAL(in_background(blocked), 0);
    _exit(0);
}

int main(void)
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        leader();
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQUAL(status, 0);
    become_threaded();
    return guest_success();
}
