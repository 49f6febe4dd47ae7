/* SPDX-License-Identifier: MIT */
/* select, as poll.c does poll: the kernel answers, and between its answers the coroutine watches. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>

#include "block.h"
#include "call.h"
#include "deadline.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"
#include "watching.h"

/* The three sets of a select, at most FD_SETSIZE descriptors in our copies. */
struct sets {
    fd_set set[3];
};

static size_t sets_size(const struct weft_call *call)
{
    return (size_t)((int)call->arguments[0] + 63) / 64 * 8;
}

/* The program's sets, which can be read. */
static void sets_read(struct sets *sets, const struct weft_call *call)
{
    for (int i = 0; i < 3; i++)
        if (call->arguments[1 + i])
            memcpy(&sets->set[i], (const void *)call->arguments[1 + i], sets_size(call));
}

static void sets_answer(const struct sets *sets, const struct weft_call *call)
{
    for (int i = 0; i < 3; i++)
        if (call->arguments[1 + i])
            memcpy((void *)call->arguments[1 + i], &sets->set[i], sets_size(call));
}

/* What the kernel says of the sets at once; it leaves its answer in them. */
static long select_now(struct sets *sets, const struct weft_call *call)
{
    struct timespec none = {0, 0};
    const long *user = &call->arguments[1];
    return weft_raw6(SYS_pselect6, call->arguments[0], user[0] ? (long)&sets->set[0] : 0,
                     user[1] ? (long)&sets->set[1] : 0, user[2] ? (long)&sets->set[2] : 0, (long)&none, 0);
}

/* Whether urgent data is asked for where readability is not. */
static bool urgent_alone(fd_set *const user[3], int count)
{
    for (int fd = 0; user[2] && fd < count; fd++)
        if (FD_ISSET(fd, user[2]) && !(user[0] && FD_ISSET(fd, user[0])))
            return true;
    return false;
}

static unsigned watch_sets(struct weft_watching *watching, fd_set *const user[3], int count, bool counting)
{
    unsigned members = 0;
    for (int fd = 0; fd < count; fd++) {
        int events = (user[0] && FD_ISSET(fd, user[0]) ? WEFT_READABLE : 0) |
                     (user[1] && FD_ISSET(fd, user[1]) ? WEFT_WRITABLE : 0) |
                     (user[2] && FD_ISSET(fd, user[2]) ? WEFT_URGENT : 0);
        if (!events)
            continue;
        members++;
        if (!counting)
            weft_watching_add(watching, fd, events);
    }
    return members;
}

/* Reads the sets, and the time-out when there is one; false when one of them cannot be read. At once: most
 * selects are ready, and each call of the kernel would cost half as much as theirs. */
static bool select_read(const struct weft_call *call, struct sets *sets, void *timeout)
{
    struct iovec to[4], from[4];
    int parts = 0;
    for (int i = 0; i < 4; i++) {
        size_t length = i < 3 ? sets_size(call) : 2 * sizeof(long); /* timeval or timespec */
        if (!call->arguments[1 + i] || length == 0)
            continue;
        to[parts] = (struct iovec){i < 3 ? (void *)&sets->set[i] : timeout, length};
        from[parts++] = (struct iovec){(void *)call->arguments[1 + i], length};
    }
    return parts == 0 || weft_user_read_parts(to, from, parts);
}

/* Moves those that are no descriptors any more from the sets to `closed`; returns in how many sets. */
static long take_out_closed(struct sets *sets, struct sets *closed, const struct weft_call *call)
{
    long taken = 0;
    memset(closed, 0, sizeof *closed);
    for (int fd = 0; fd < (int)call->arguments[0]; fd++) {
        bool member[3], any = false;
        for (int i = 0; i < 3; i++)
            any |= member[i] = call->arguments[1 + i] && FD_ISSET(fd, &sets->set[i]);
        if (!any || weft_raw2(SYS_fcntl, fd, F_GETFD) != -EBADF)
            continue;
        for (int i = 0; i < 3; i++)
            if (member[i]) {
                FD_CLR(fd, &sets->set[i]);
                FD_SET(fd, &closed->set[i]);
                taken++;
            }
    }
    return taken;
}

/* What the kernel says of the sets when it looks again. Who has closed a member meanwhile makes it ready
 * (since Linux 5.17: before, it was passed over). */
static long select_again(struct sets *sets, const struct weft_call *call)
{
    struct sets closed;
    sets_read(sets, call);
    long result = select_now(sets, call);
    if (result != -EBADF)
        return result;
    sets_read(sets, call);
    long ready = take_out_closed(sets, &closed, call);
    result = select_now(sets, call);
    if (result < 0)
        return result;
    for (int i = 0; i < 3; i++)
        for (int fd = 0; fd < (int)call->arguments[0]; fd++)
            if (FD_ISSET(fd, &closed.set[i]))
                FD_SET(fd, &sets->set[i]);
    return result + ready;
}

/* The kernel's first answer was that nothing is ready. */
static long select_until(struct weft_call *call, struct sets *sets, int64_t deadline)
{
    int count = (int)call->arguments[0];
    fd_set *const user[3] = {(fd_set *)call->arguments[1], (fd_set *)call->arguments[2],
                             (fd_set *)call->arguments[3]};
    struct weft_watching watching;
    if (urgent_alone(user, count))
        return weft_block_in_kernel(call);
    if (!weft_watching_take(&watching, watch_sets(NULL, user, count, true)))
        return -ENOMEM;
    watch_sets(&watching, user, count, false);
    long result, waited;
    do {
        waited = weft_wait_watchers(watching.watchers, watching.count, WEFT_REASON_SELECT, deadline);
        if (waited < 0 && waited != -EBADF && waited != -ETIMEDOUT && waited != -EINTR) {
            result = waited;
            break;
        }
        result = select_again(sets, call);
        if (result == 0 && waited == -EINTR) { /* what is ready, too, goes first, as in the kernel */
            result = -EINTR;
            break;
        }
    } while (result == 0 && waited != -ETIMEDOUT && !weft_deadline_passed(deadline));
    if (result >= 0)
        sets_answer(sets, call);
    weft_watching_release(&watching);
    return result;
}

/* `sets` is what was read. One that is ready at once costs what it costs natively: no clock is read. */
static bool select_at_once(struct weft_call *call, struct sets *sets, long *result)
{
    *result = select_now(sets, call);
    if (*result > 0)
        sets_answer(sets, call);
    return *result != 0;
}

static bool select_in_kernel(const struct weft_call *call)
{
    return (int)call->arguments[0] < 0 || (int)call->arguments[0] > FD_SETSIZE;
}

WEFT_HOOK(select)
{
    struct timeval *timeout = (struct timeval *)call->arguments[4], checked;
    struct sets sets;
    int64_t deadline = WEFT_NEVER;
    long result;
    if (weft_block_alone(call, &result))
        return result;
    if (select_in_kernel(call))
        return weft_block_in_kernel(call);
    if (!select_read(call, &sets, &checked))
        return weft_call_raw(call); /* EFAULT, unless something else is wrong, too */
    if (timeout && (checked.tv_sec < 0 || checked.tv_usec < 0 || (checked.tv_sec | checked.tv_usec) == 0))
        return weft_call_raw(call);
    if (select_at_once(call, &sets, &result)) {
        if (timeout && result > 0) /* the least that can have passed */
            *timeout = checked.tv_usec > 0 ? (struct timeval){checked.tv_sec, checked.tv_usec - 1}
                                           : (struct timeval){checked.tv_sec - 1, 999999};
        return result;
    }
    if (timeout) {
        struct timespec span = {checked.tv_sec + checked.tv_usec / 1000000, checked.tv_usec % 1000000 * 1000};
        deadline = weft_deadline_from(&span, -1);
    }
    result = select_until(call, &sets, deadline);
    if (timeout) {
        struct timespec left = weft_deadline_left(deadline);
        *timeout = (struct timeval){left.tv_sec, left.tv_nsec / 1000};
    }
    return result;
}

static long pselect6_masked(struct weft_call *call)
{
    struct timespec *timeout = (struct timespec *)call->arguments[4], checked;
    struct sets sets;
    struct weft_call unmasked = *call;
    long result;
    unmasked.arguments[5] = 0;
    if (weft_block_alone(&unmasked, &result))
        return result;
    if (select_in_kernel(call))
        return weft_block_in_kernel(call);
    if (!select_read(call, &sets, &checked) ||
        (timeout && (!weft_timespec_valid(&checked) || (checked.tv_sec | checked.tv_nsec) == 0)))
        return weft_none_or_signal(weft_raw6(SYS_pselect6, call->arguments[0], call->arguments[1],
                                             call->arguments[2], call->arguments[3], (long)timeout, 0));
    if (select_at_once(call, &sets, &result)) {
        if (timeout && result > 0)
            *timeout = checked.tv_nsec > 0 ? (struct timespec){checked.tv_sec, checked.tv_nsec - 1}
                                           : (struct timespec){checked.tv_sec - 1, 999999999};
        return result;
    }
    int64_t deadline = weft_deadline_from(timeout ? &checked : NULL, -1);
    result = select_until(call, &sets, deadline);
    if (timeout)
        *timeout = weft_deadline_left(deadline);
    return result;
}

/* One that fails leaves the sets as they were. */
static long pselect6_with_mask(struct weft_call *call)
{
    struct timespec timeout;
    struct sets before;
    bool read = !select_in_kernel(call) && select_read(call, &before, &timeout);
    long result = pselect6_masked(call);
    if (result == -EINTR && read)
        sets_answer(&before, call);
    return result;
}

WEFT_HOOK(pselect6)
{
    const struct {
        const uint64_t *mask;
        size_t size;
    } *signals = (const void *)call->arguments[5];
    if (signals && signals->mask)
        return weft_with_signal_mask(call, signals->mask, signals->size, pselect6_with_mask);
    return pselect6_masked(call);
}
