/* SPDX-License-Identifier: MIT */
/*
 * Waiting for children. One child that ends is a descriptor that becomes readable (pidfd), so waiting for it
 * parks; any child, a group, and children that stop or go on are the kernel's to wait for, on a kernel thread
 * of their own.
 */
#include <errno.h>
#include <sys/wait.h>

#include "../core/libev_system.h"
#include "../core/spare.h"
#include "block.h"
#include "hooks.h"
#include "tracer.h"
#include "wait.h"

/* Parks until the process has ended. Returns 0, or an error when it cannot be waited for so, or -EINTR. */
static long wait_for_end(int pid)
{
    int fd = weft_own_descriptor(weft_raw2(SYS_pidfd_open, pid, 0));
    if (fd < 0)
        return fd;
    int stops = weft_traced_descriptor();
    struct weft_watcher watchers[] = {{.fd = fd, .events = WEFT_READABLE},
                                      {.fd = stops, .events = WEFT_READABLE, .shared = true}};
    long result = weft_wait_watchers(watchers, stops >= 0 ? 2 : 1, WEFT_REASON_CHILD, WEFT_NEVER);
    weft_wait_leave_number(fd);
    weft_disown_descriptor(fd);
    return result;
}

/* `options` is the index of the options among the arguments. */
static long wait_for_child(struct weft_call *call, int options, int pid,
                           bool (*nothing_yet)(const struct weft_call *, long))
{
    struct weft_call attempt = *call;
    attempt.arguments[options] |= WNOHANG;
    for (;;) {
        long result = weft_call_raw(&attempt);
        if (!nothing_yet(call, result))
            return result;
        if (pid <= 0 || weft_traced())
            return weft_block_in_kernel(call);
        result = wait_for_end(pid);
        if (result == -EINTR)
            return result;
        if (result < 0)
            return weft_block_in_kernel(call);
    }
}

static bool no_status(const struct weft_call *call, long result)
{
    (void)call;
    return result == 0;
}

/* A wait has ended so; perhaps it has taken away a child. */
static long waited(long result)
{
    if (result >= 0)
        weft_carriers_lose_child();
    return result;
}

/* wait4(pid, status, options, usage) */
WEFT_HOOK(wait4)
{
    int pid = (int)call->arguments[0], options = (int)call->arguments[2];
    if (options & WNOHANG)
        return waited(weft_call_raw(call));
    bool ends_only = !(options & (WUNTRACED | WCONTINUED));
    return waited(wait_for_child(call, 2, ends_only ? pid : 0, no_status));
}

/* waitid says nothing in its result; si_signo is 0 when there is nothing yet. */
static bool no_info(const struct weft_call *call, long result)
{
    return result == 0 && ((const siginfo_t *)call->arguments[2])->si_signo == 0;
}

/* waitid(kind, id, info, options, usage) */
WEFT_HOOK(waitid)
{
    int options = (int)call->arguments[3];
    if (options & WNOHANG)
        return waited(weft_call_raw(call));
    if (!(siginfo_t *)call->arguments[2])
        return waited(weft_block_in_kernel(call));
    bool one = call->arguments[0] == P_PID && !(options & (WSTOPPED | WCONTINUED));
    return waited(wait_for_child(call, 3, one ? (int)call->arguments[1] : 0, no_info));
}
