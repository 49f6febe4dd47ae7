/* SPDX-License-Identifier: MIT */
/*
 * What main had pending when weft became active. Natively a signal that was sent to main's thread is main's
 * alone; in the kernel it would be pending for whatever coroutine runs on main's kernel thread. So it is
 * taken out and queued for main. What was sent to the process stays in the kernel, as it does later.
 */
#include <fcntl.h>
#include <string.h>

#include "../core/park.h"
#include "../core/signal.h"
#include "hooks.h"
#include "signal.h"

uint64_t weft_signals_in_file(long directory, const char *name, const char *label)
{
    enum { ROOM = 2048, DIGITS = 16 };
    char text[ROOM + 1];
    long fd = weft_raw4(SYS_openat, directory, (long)name, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long length = weft_raw3(SYS_read, fd, (long)text, ROOM), label_length = (long)strlen(label);
    weft_raw1(SYS_close, fd);
    for (long i = 0; i + label_length + DIGITS <= length; i++) {
        if (memcmp(&text[i], label, (size_t)label_length) != 0)
            continue;
        uint64_t set = 0;
        for (const char *digit = &text[i] + label_length; digit < &text[i] + label_length + DIGITS; digit++)
            set = set << 4 | (uint64_t)(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
        return set;
    }
    return 0;
}

/* The signals that are pending for the calling kernel thread alone, which only /proc tells; 0 when it does
 * not. */
static uint64_t pending_for_thread(void)
{
    return weft_signals_in_file(AT_FDCWD, "/proc/thread-self/status", "\nSigPnd:\t");
}

void weft_signals_take_over(void)
{
    static const struct timespec none;
    struct coroutine *self = weft_current;
    uint64_t set;
    if (weft_raw2(SYS_rt_sigpending, (long)&set, sizeof set) != 0 || set == 0)
        return;
    /* The kernel gives the thread's own before the process's, so one that is taken while the thread has some
     * is one of those. */
    while ((set = pending_for_thread()) != 0) {
        siginfo_t info;
        long number = weft_raw4(SYS_rt_sigtimedwait, (long)&set, (long)&info, (long)&none, sizeof set);
        if (number <= 0)
            return;
        struct processor *processor = weft_core_enter(self);
        weft_signal_send(processor, self->tid, &info);
        weft_core_leave(self);
    }
}
