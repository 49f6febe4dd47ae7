/* SPDX-License-Identifier: MIT */
/*
 * See libev_system.h. All functions here are called by libev.a only (but for the owned descriptors),
 * on carriers, and follow libc's conventions: -1 and errno, which is a variable of this file.
 *
 * Our descriptors live just below 1024 or the limit: high enough that a program that counts on getting
 * the lowest numbers gets them, low enough that the kernel's table stays small.
 */
#include "libev_system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "lock.h"
#include "loop.h"
#include "raw.h"
#include "timer.h"

#define LINKED_TO_LIBEV __attribute__((visibility("hidden"), used))

enum { HIGHEST_FIRST = 1024, ROOM = 64 };

__thread int64_t weft_loop_patience __attribute__((tls_model("initial-exec")));

static struct weft_lock lock;                  /* protects the writers of owned[] */
static atomic_int owned[WEFT_OWN_DESCRIPTORS]; /* fd + 1, 0: free */
static atomic_int lowest = INT_MAX;            /* no number below it is, or was, ours */

static int lowest_own_number(void)
{
    struct rlimit limit = {.rlim_cur = HIGHEST_FIRST};
    weft_raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit);
    int end = limit.rlim_cur < HIGHEST_FIRST ? (int)limit.rlim_cur : HIGHEST_FIRST;
    return end > 2 * ROOM ? end - ROOM : end / 2;
}

int weft_own_descriptor(long fd)
{
    if (fd < 0)
        return (int)fd;
    long high = weft_raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest_own_number());
    if (high >= 0) {
        weft_raw1(SYS_close, fd);
        fd = high;
    }
    int result = -EMFILE;
    weft_lock_acquire(&lock);
    for (int i = 0; i < WEFT_OWN_DESCRIPTORS; i++)
        if (atomic_load(&owned[i]) == 0) {
            if ((int)fd < atomic_load(&lowest))
                atomic_store(&lowest, (int)fd);
            atomic_store(&owned[i], (int)fd + 1);
            result = (int)fd;
            break;
        }
    weft_lock_release(&lock);
    if (result < 0)
        weft_raw1(SYS_close, fd);
    return result;
}

void weft_own_descriptors_restart(void)
{
    lock = (struct weft_lock){0};
}

void weft_disown_descriptor(int fd)
{
    for (int i = 0; i < WEFT_OWN_DESCRIPTORS; i++)
        if (atomic_load(&owned[i]) == fd + 1) {
            atomic_store(&owned[i], 0); /* first: once closed, the number may be owned again */
            weft_raw1(SYS_close, fd);
            return;
        }
}

bool weft_loop_owns(int fd)
{
    if (fd < atomic_load_explicit(&lowest, memory_order_relaxed))
        return false;
    for (int i = 0; i < WEFT_OWN_DESCRIPTORS; i++)
        if (atomic_load_explicit(&owned[i], memory_order_relaxed) == fd + 1)
            return true;
    return false;
}

int weft_loop_owned(int *fds)
{
    int count = 0;
    for (int i = 0; i < WEFT_OWN_DESCRIPTORS; i++) {
        int fd = atomic_load(&owned[i]) - 1, place = count;
        if (fd < 0)
            continue;
        for (; place > 0 && fds[place - 1] > fd; place--)
            fds[place] = fds[place - 1];
        fds[place] = fd;
        count++;
    }
    return count;
}

static __thread int libev_errno __attribute__((tls_model("initial-exec")));

LINKED_TO_LIBEV int *__errno_location(void)
{
    return &libev_errno;
}

/* libev names it only to report an error that ends the process. Being ours, it needs no relocation. */
#undef stderr
LINKED_TO_LIBEV FILE *stderr;

/* libev checks itself by assert. */
LINKED_TO_LIBEV void __assert_fail(const char *text, const char *file, unsigned line, const char *function)
{
    (void)function;
    weft_broken(text, file, (int)line);
}

static long settle(long result)
{
    if (result >= 0)
        return result;
    libev_errno = (int)-result;
    return -1;
}

static int newest_epoll;

LINKED_TO_LIBEV int epoll_create1(int flags)
{
    return newest_epoll = (int)settle(weft_own_descriptor(weft_raw1(SYS_epoll_create1, flags)));
}

int weft_libev_epoll(void)
{
    return newest_epoll;
}

/* A descriptor that somebody has just closed is a broken program to libev, which ends it. Here it is always
 * ready, like what epoll refuses (EPERM): its waiter tries its call and is told. */
LINKED_TO_LIBEV int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    bool urgent = operation != EPOLL_CTL_DEL && event->events & EPOLLIN && weft_loop_urgent(fd);
    if (urgent)
        event->events |= EPOLLPRI;
    if (operation == EPOLL_CTL_DEL && weft_loop_silences(fd)) {
        struct epoll_event silent = {.events = EPOLLONESHOT, .data = event->data};
        return (int)settle(weft_raw4(SYS_epoll_ctl, epoll, EPOLL_CTL_MOD, fd, (long)&silent));
    }
    long result = -ENOENT;
    if (operation == EPOLL_CTL_ADD && weft_loop_unsilences(fd))
        result = weft_raw4(SYS_epoll_ctl, epoll, EPOLL_CTL_MOD, fd, (long)event);
    if (result == -ENOENT)
        result = weft_raw4(SYS_epoll_ctl, epoll, operation, fd, (long)event);
    if (urgent && result == -EEXIST) /* libev would believe that nothing has changed */
        result = weft_raw4(SYS_epoll_ctl, epoll, EPOLL_CTL_MOD, fd, (long)event);
    if (result == -EBADF || result == -ELOOP || result == -EINVAL)
        result = -EPERM;
    if (operation != EPOLL_CTL_DEL)
        weft_loop_note_added(fd, result == -EPERM);
    return (int)settle(result);
}

static long sleep_for(int epoll, struct epoll_event *events, int count, int64_t patience)
{
    struct timespec limit = {patience / 1000000000, patience % 1000000000};
    long result = weft_raw6(SYS_epoll_pwait2, epoll, (long)events, count, (long)&limit, 0, 0);
    if (result == -ENOSYS) /* before Linux 5.11: whole milliseconds, rounded up */
        result =
            weft_raw4(SYS_epoll_wait, epoll, (long)events, count,
                      patience > INT64_C(2000000000000) ? 2000000000 : (int)((patience + 999999) / 1000000));
    return result;
}

/* libev asks for no sleep, or for a long one; how long it may be stands in weft_loop_patience. */
LINKED_TO_LIBEV int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    int64_t patience = weft_loop_patience;
    long result;
    if (timeout == 0 || weft_loop_pending())
        patience = 0;
    if (patience == 0 || patience == WEFT_NEVER)
        result = weft_raw4(SYS_epoll_wait, epoll, (long)events, count, patience ? -1 : 0);
    else
        result = sleep_for(epoll, events, count, patience);
    if (result > 0)
        weft_loop_found(events, (int)result);
    return (int)settle(result);
}

LINKED_TO_LIBEV ssize_t read(int fd, void *buffer, size_t size)
{
    return settle(weft_raw3(SYS_read, fd, (long)buffer, (long)size));
}

LINKED_TO_LIBEV ssize_t write(int fd, const void *buffer, size_t size)
{
    return settle(weft_raw3(SYS_write, fd, (long)buffer, (long)size));
}

LINKED_TO_LIBEV int close(int fd)
{
    if (weft_loop_owns(fd)) {
        weft_disown_descriptor(fd);
        return 0;
    }
    return (int)settle(weft_raw1(SYS_close, fd));
}

LINKED_TO_LIBEV int fcntl(int fd, int command, ...)
{
    /* libev sets FD_CLOEXEC and O_NONBLOCK on its epoll descriptor; both need no help from us. */
    (void)fd, (void)command;
    return 0;
}
