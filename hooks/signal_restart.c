/* SPDX-License-Identifier: MIT */
/* Which calls are made again behind a handler with SA_RESTART: signal(7) tells. */
#include <linux/futex.h>
#include <sys/socket.h>

#include "../core/timer.h"
#include "deadline.h"
#include "descriptor.h"
#include "futex_pi.h"
#include "hooks.h"
#include "signal.h"

/* A socket with a time-out for this direction ends its calls with EINTR always. */
static bool timed(int fd, int option)
{
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    return weft_kind_is_socket(weft_descriptor_kind_of(fd, descriptor)) &&
           weft_descriptor_deadline(fd, descriptor, option) != WEFT_NEVER;
}

bool weft_call_restarts(const struct weft_call *call)
{
    int first = (int)call->arguments[0];
    switch (call->number) {
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_msgrcv:
    case SYS_msgsnd:
        return false;
    case SYS_futex:
        switch (call->arguments[1] & FUTEX_CMD_MASK) {
        case FUTEX_WAIT:
        case FUTEX_WAIT_BITSET:
            return call->arguments[3] == 0;
        default:
            return true;
        }
    case SYS_read:
    case SYS_readv:
    case SYS_preadv2:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_accept:
    case SYS_accept4:
        return !timed(first, SO_RCVTIMEO);
    case SYS_write:
    case SYS_writev:
    case SYS_pwritev2:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_connect:
    case SYS_sendfile:
        return !timed(first, SO_SNDTIMEO);
    case SYS_splice:
        return !timed(first, SO_RCVTIMEO) && !timed((int)call->arguments[2], SO_SNDTIMEO);
    default:
        return true;
    }
}

bool weft_call_restarts_always(const struct weft_call *call)
{
    int command = (int)call->arguments[1] & FUTEX_CMD_MASK;
    return call->number == SYS_futex && (command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2);
}
