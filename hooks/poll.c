/* SPDX-License-Identifier: MIT */
/*
 * poll and select.
 *
 * The kernel answers: each call is made with a zero time-out first and again whenever something may have
 * become ready; between, the coroutine watches the same descriptors. As natively it goes on with those that
 * it began with when their numbers are closed meanwhile, and finds out about the numbers when it looks again.
 * What the loop cannot watch (urgent data or a peer's half-close without readability) is left to the kernel.
 *
 * One descriptor that shall be readable, as programs wait that try to receive first, needs no such call: that
 * it is not, the try has just told, and that it is, the loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>

#include "../core/slab.h"
#include "block.h"
#include "call.h"
#include "deadline.h"
#include "descriptor.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"
#include "wait.h"

enum { INLINE_WATCHERS = 2 };
enum { READ_EVENTS = POLLIN | POLLRDNORM, WRITE_EVENTS = POLLOUT | POLLWRNORM, URGENT_EVENTS = POLLPRI };

struct watching {
    struct weft_watcher *watchers;
    unsigned count;
    struct weft_watcher inlined[INLINE_WATCHERS];
};

static bool watching_take(struct watching *watching, unsigned capacity)
{
    watching->count = 0;
    watching->watchers = watching->inlined;
    if (capacity > INLINE_WATCHERS)
        watching->watchers = weft_reallocate(NULL, (long)(capacity * sizeof *watching->watchers));
    return watching->watchers != NULL;
}

static void watching_release(struct watching *watching)
{
    weft_watchers_done(watching->watchers, watching->count);
    if (watching->watchers != watching->inlined)
        weft_reallocate(watching->watchers, 0);
}

static void watch(struct watching *watching, int fd, int events)
{
    watching->watchers[watching->count++] = (struct weft_watcher){.fd = fd, .events = events, .shared = true};
}

static bool watchable(const struct pollfd *polls, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        if (polls[i].fd >= 0 && polls[i].events & ~(READ_EVENTS | WRITE_EVENTS) &&
            !(polls[i].events & READ_EVENTS &&
              !(polls[i].events & ~(READ_EVENTS | WRITE_EVENTS | URGENT_EVENTS | POLLRDHUP))))
            return false;
    return true;
}

/* Whether all that is asked is whether one descriptor can be read, where we can read and write. */
static bool asks_readable(const struct pollfd *polls, unsigned long count)
{
    struct iovec part = {(void *)polls, sizeof *polls};
    return count == 1 && weft_user_on_stack(&part, 1) && polls->fd >= 0 && polls->events & POLLIN &&
           !(polls->events & ~(POLLIN | URGENT_EVENTS));
}

/* It was not when the coroutine tried to, and it has not stood still since. A hint: it may be by now. */
static bool found_empty(const struct pollfd *poll)
{
    const struct coroutine *self = weft_current;
    return poll->fd == self->empty_fd && self->switches == self->empty_at;
}

/* That it can be read. Of a number that was closed meanwhile the kernel says what it means now. */
static bool was_told(const struct weft_watcher *watcher)
{
    return watcher->told && !watcher->moved;
}

/* The kernel waits for what the loop does not tell. */
static long poll_in_kernel(const struct weft_call *call, int64_t deadline)
{
    struct timespec left = weft_deadline_left(deadline);
    struct weft_call rest = *call;
    rest.number = SYS_ppoll;
    rest.arguments[2] = deadline == WEFT_NEVER ? 0 : (long)&left;
    if (call->number == SYS_poll)
        rest.arguments[3] = 0;
    return weft_block_in_kernel(&rest);
}

/* poll with a deadline, when nothing is ready now. */
static long poll_until(struct weft_call *call, int64_t deadline)
{
    struct pollfd *polls = (struct pollfd *)call->arguments[0];
    unsigned long count = (unsigned long)call->arguments[1];
    struct watching watching;
    if (!watchable(polls, count))
        return poll_in_kernel(call, deadline);
    if (!watching_take(&watching, (unsigned)count))
        return -ENOMEM;
    bool hang_up_only = false;
    for (unsigned long i = 0; i < count; i++) {
        int events = (polls[i].events & READ_EVENTS ? WEFT_READABLE : 0) |
                     (polls[i].events & WRITE_EVENTS ? WEFT_WRITABLE : 0) |
                     (polls[i].events & URGENT_EVENTS ? WEFT_URGENT : 0);
        if (polls[i].fd < 0)
            continue;
        /* Errors and hang-ups are told even when nothing was asked for. */
        watch(&watching, polls[i].fd, events ? events : WEFT_READABLE);
        hang_up_only |= !events;
    }
    long result;
    for (;;) {
        long waited = weft_wait_watchers(watching.watchers, watching.count, WEFT_REASON_POLL, deadline);
        if (waited == 0 && asks_readable(polls, count) && was_told(watching.watchers)) {
            polls->revents = POLLIN;
            result = 1;
            break;
        }
        result = weft_raw3(SYS_poll, (long)polls, (long)count, 0);
        if (result != 0)
            break;
        if (waited == -ETIMEDOUT)
            break;
        if (waited < 0 && waited != -EBADF) {
            result = waited;
            break;
        }
        if (weft_deadline_passed(deadline))
            break;
        if (hang_up_only) { /* but it can be read, and will remain so */
            result = poll_in_kernel(call, deadline);
            break;
        }
    }
    watching_release(&watching);
    return result;
}

WEFT_HOOK(poll)
{
    const struct pollfd *polls = (struct pollfd *)call->arguments[0];
    int timeout = (int)call->arguments[2];
    long result;
    if (timeout != 0 && weft_block_alone(call, &result))
        return result;
    if (timeout == 0 || !asks_readable(polls, (unsigned long)call->arguments[1]) || !found_empty(polls)) {
        result = weft_raw3(SYS_poll, call->arguments[0], call->arguments[1], 0);
        if (result != 0 || timeout == 0)
            return result;
    }
    return poll_until(call, weft_deadline_from_milliseconds(timeout));
}

/* Nothing is ready: as natively a signal that is due by now, let in by the mask, ends even this. */
static long none_or_signal(long result)
{
    struct coroutine *self = weft_current;
    if (result != 0)
        return result;
    weft_signals_settle(self);
    return weft_signals_handled(self) ? -EINTR : 0;
}

static long ppoll_masked(struct weft_call *call)
{
    struct timespec *timeout = (struct timespec *)call->arguments[2], checked;
    struct weft_call unmasked = *call;
    long result;
    unmasked.arguments[3] = 0;
    if (weft_block_alone(&unmasked, &result))
        return result;
    if (timeout && !weft_user_read(&checked, timeout, sizeof checked))
        return -EFAULT;
    if (timeout && !weft_timespec_valid(timeout))
        return -EINVAL;
    int64_t deadline = weft_deadline_from(timeout, -1);
    result = weft_raw3(SYS_poll, call->arguments[0], call->arguments[1], 0);
    if (result == 0 && !(timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        result = poll_until(call, deadline);
    if (timeout && result >= 0)
        *timeout = weft_deadline_left(deadline); /* as the kernel does */
    return none_or_signal(result);
}

WEFT_HOOK(ppoll)
{
    const uint64_t *mask = (const uint64_t *)call->arguments[3];
    return mask ? weft_with_signal_mask(call, mask, (size_t)call->arguments[4], ppoll_masked)
                : ppoll_masked(call);
}

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

static unsigned watch_sets(struct watching *watching, fd_set *const user[3], int count, bool counting)
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
            watch(watching, fd, events);
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
    struct watching watching;
    if (urgent_alone(user, count))
        return weft_block_in_kernel(call);
    if (!watching_take(&watching, watch_sets(NULL, user, count, true)))
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
    watching_release(&watching);
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
        return none_or_signal(weft_raw6(SYS_pselect6, call->arguments[0], call->arguments[1],
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
