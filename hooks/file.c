/* SPDX-License-Identifier: MIT */
/*
 * Files: what waits for a disk.
 *
 * No readiness tells when a disk is done, so somebody must wait in the kernel. A read looks first
 * (RWF_NOWAIT) whether the page cache has it, as mostly it does; only when it does not, the processor is
 * given away for the time it takes. Calls that flush are slow for sure and give it away at once. All others,
 * which mostly are done at once, say that they are in the kernel, and the monitor sees to it when one takes
 * long.
 */
#include "file.h"

#include <errno.h>
#include <sys/uio.h>

#include "../core/monitor.h"
#include "block.h"
#include "descriptor.h"
#include "hooks.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

/* Bytes that the kernel reads by one call (MAX_RW_COUNT). It shortens a vector before it looks whether that
 * is in the address space, a buffer behind. */
enum { MOST = 0x7ffff000 };

/* Waits for a peer, if at all, and not for a disk: a signal ends it. (truncate and open may wait for the
 * holder of a lease; ftruncate has one who may write.) */
static bool interruptible(long number)
{
    switch (number) {
    case SYS_truncate:
    case SYS_open:
    case SYS_openat:
    case SYS_openat2:
    case SYS_creat:
    case SYS_tee:
    case SYS_vmsplice:
    case SYS_splice:
        return true;
    default:
        return false;
    }
}

long weft_call_brief(const struct weft_call *call)
{
    struct coroutine *self = weft_current;
    weft_kernel_brief_begin(self);
    long result = interruptible(call->number) ? weft_call_interruptible(call, self) : weft_call_raw(call);
    weft_kernel_brief_end(self);
    return result;
}

/* The read of `call` (read or pread64) from its byte `done` on. */
static struct weft_call rest_of(const struct weft_call *call, long done)
{
    struct weft_call rest = *call;
    rest.arguments[1] += done;
    rest.arguments[2] -= done;
    if (call->number == SYS_pread64)
        rest.arguments[3] += done;
    return rest;
}

static long read_cached(const struct weft_call *call)
{
    struct iovec part = {(void *)call->arguments[1], (size_t)call->arguments[2]};
    long offset = call->number == SYS_pread64 ? call->arguments[3] : -1;
    return weft_raw6(SYS_preadv2, call->arguments[0], (long)&part, 1, offset, 0, RWF_NOWAIT);
}

long weft_file_read(struct weft_call *call, struct weft_descriptor *descriptor)
{
    long size = call->arguments[2], done = 0;
    bool has_offset = call->number == SYS_pread64;
    if (size <= 0 || size > MOST || weft_descriptor_has(descriptor, WEFT_FD_NO_NOWAIT) ||
        (has_offset && call->arguments[3] < 0))
        return weft_call_brief(call);
    for (;;) {
        struct weft_call rest = rest_of(call, done);
        long result = read_cached(&rest);
        if (result == -EOPNOTSUPP) {
            weft_descriptor_note(descriptor, WEFT_FD_NO_NOWAIT, 0);
            result = weft_call_brief(&rest);
        } else if (result == -EAGAIN) {
            result = weft_block_for_disk(&rest);
        } else if (result > 0 && done + result < size) {
            done += result; /* the end of the file, or of what is cached */
            continue;
        }
        return result > 0 ? done + result : done > 0 ? done : result;
    }
}

WEFT_HOOK(pread64)
{
    int fd = (int)call->arguments[0];
    struct weft_descriptor *descriptor = weft_descriptor_find(fd);
    if (weft_descriptor_kind_of(fd, descriptor) != WEFT_KIND_DISK)
        return weft_call_brief(call);
    return weft_file_read(call, descriptor);
}

/* open, openat, openat2, creat */
WEFT_HOOK(open)
{
    long fd = weft_call_brief(call);
    if (fd >= 0)
        weft_descriptor_made((int)fd, WEFT_KIND_UNKNOWN, 0);
    return fd;
}

/* preadv2 and pwritev2: at offset -1 they are readv and writev, whose arguments stand in the same places.
 * With flags, which are rare there, only the kernel knows. */
WEFT_HOOK(positional)
{
    int fd = (int)call->arguments[0];
    bool no_wait = call->arguments[3] != -1 || call->arguments[5] & RWF_NOWAIT;
    if (!no_wait && call->arguments[5] == 0)
        return call->number == SYS_preadv2 ? hook_readv(call) : hook_writev(call);
    enum weft_descriptor_kind kind = weft_descriptor_kind_of(fd, weft_descriptor_find(fd));
    if (no_wait || kind == WEFT_KIND_DISK || kind == WEFT_KIND_BAD)
        return weft_call_brief(call);
    return weft_block_in_kernel(call);
}

/* What mostly does not wait. */
WEFT_HOOK(brief)
{
    return weft_call_brief(call);
}
