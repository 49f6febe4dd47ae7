/* SPDX-License-Identifier: MIT */
/*
 * ptrace(2). Who attaches to a process is bound (bound.c), for the kernel lets only the kernel thread that
 * has done so go on with it. A child that asks to be traced (PTRACE_TRACEME) gives itself to the kernel
 * thread that made it, and the coroutine that was there may be elsewhere by now: its calls are errands to
 * that kernel thread (core/errand.h).
 *
 * A traced child is waited for when it stops, too, which no pidfd tells. So there is a descriptor that
 * becomes readable, for good, when a child says that it is traced: it writes there before it executes
 * anything else.
 */
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>

#include "../core/carrier.h"
#include "../core/errand.h"
#include "../core/libev_system.h"
#include "bound.h"
#include "hooks.h"

static atomic_int traced = -1;       /* an eventfd of this process, which its children have as ... */
static atomic_int traced_above = -1; /* ... the one of their parent; -1: none */

/* Who has made which child, of the last ones: process id, and thread id in the upper half. */
enum { MADE = 256 };
static _Atomic uint64_t made[MADE];
static atomic_uint made_count;

void weft_tracer_prepare(void)
{
    int none = -1;
    if (atomic_load(&traced) >= 0)
        return;
    int fd = weft_own_descriptor(weft_raw2(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (fd >= 0 && !atomic_compare_exchange_strong(&traced, &none, fd))
        weft_disown_descriptor(fd);
}

void weft_tracer_note(const struct coroutine *self, int pid)
{
    uint64_t word = (uint64_t)self->tid << 32 | (uint32_t)pid;
    atomic_store(&made[atomic_fetch_add(&made_count, 1) % MADE], word);
}

/* True when another thread of ours has made the process, and so may trace it. */
static bool is_anothers(const struct coroutine *self, int pid)
{
    unsigned newest = atomic_load(&made_count);
    for (unsigned i = 1; i <= MADE; i++) {
        uint64_t word = atomic_load(&made[(newest - i) % MADE]);
        if ((int)word == pid)
            return (int)(word >> 32) != self->tid;
    }
    return false;
}

void weft_tracer_restart(void)
{
    int above = atomic_exchange(&traced_above, atomic_exchange(&traced, -1));
    if (above >= 0)
        weft_disown_descriptor(above);
    for (int i = 0; i < MADE; i++)
        atomic_store(&made[i], 0);
}

int weft_traced_descriptor(void)
{
    return atomic_load(&traced);
}

bool weft_traced(void)
{
    struct pollfd poll = {.fd = weft_traced_descriptor(), .events = POLLIN};
    return poll.fd >= 0 && weft_raw3(SYS_poll, (long)&poll, 1, 0) == 1;
}

static void tell(int fd)
{
    uint64_t one = 1;
    if (fd >= 0)
        weft_raw3(SYS_write, fd, (long)&one, sizeof one);
}

/* Puts "/proc/PID/status" there. */
static void name_status(char *place, unsigned pid)
{
    char digits[10];
    int count = 0;
    place = (char *)memcpy(place, "/proc/", 6) + 6;
    do
        digits[count++] = (char)('0' + pid % 10);
    while (pid /= 10);
    while (count > 0)
        *place++ = digits[--count];
    memcpy(place, "/status", 8);
}

/* The kernel's id of who traces the process; 0: nobody, or not known. */
static int tracer_of(int pid)
{
    static const char key[] = "\nTracerPid:\t";
    char path[32], text[1024];
    int tid = 0;
    name_status(path, (unsigned)pid);
    long fd = weft_raw4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long length = weft_raw3(SYS_read, fd, (long)text, sizeof text);
    weft_raw1(SYS_close, fd);
    for (long i = 0; i + (long)sizeof key < length; i++)
        if (memcmp(text + i, key, sizeof key - 1) == 0)
            for (i += (long)sizeof key - 1; i < length && text[i] >= '0' && text[i] <= '9'; i++)
                tid = tid * 10 + text[i] - '0';
    return tid;
}

/* Of one that is not bound: he has attached to nobody, but children of his may have asked. */
static long trace_child(const struct weft_call *call, const struct coroutine *self)
{
    int pid = (int)call->arguments[1];
    if (is_anothers(self, pid))
        return -ESRCH;
    long result = weft_call_raw(call);
    if (result != -ESRCH)
        return result;
    int tid = tracer_of(pid);
    struct carrier *tracer = tid ? weft_carrier_of(tid) : NULL;
    return tracer && tracer != self->carrier ? weft_errand(tracer, call->number, call->arguments) : result;
}

/* ptrace(request, process, address, data) */
WEFT_HOOK(ptrace)
{
    const struct coroutine *self = weft_current;
    long request = call->arguments[0];
    bool begins = request == PTRACE_TRACEME || request == PTRACE_ATTACH || request == PTRACE_SEIZE;
    if (!begins && !self->bound)
        return trace_child(call, self);
    long result = weft_bind_by(call);
    if (request == PTRACE_TRACEME && result == 0)
        tell(atomic_load(&traced_above));
    if ((request == PTRACE_ATTACH || request == PTRACE_SEIZE) && result == 0 && !weft_traced()) {
        weft_tracer_prepare();
        tell(atomic_load(&traced));
    }
    return result;
}
