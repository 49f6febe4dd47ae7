/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <signal.h>
#include <stddef.h>

#include "log.h"
#include "raw.h"

void weft_broken(const char *text, const char *file, int line)
{
    struct weft_line message = {0};
    weft_line_text(&message, "weft: broken invariant: ");
    weft_line_text(&message, text);
    weft_line_text(&message, " (");
    weft_line_text(&message, file);
    weft_line_text(&message, ":");
    weft_line_number(&message, line);
    weft_line_text(&message, ")\n");
    weft_line_write(&message, 2);
    /* The default action, whatever the program has installed, and no lock of libc's abort. */
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } action = {0};
    unsigned long mask = 1ul << (SIGABRT - 1);
    weft_raw4(SYS_rt_sigaction, SIGABRT, (long)&action, 0, sizeof mask);
    weft_raw4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, sizeof mask);
    weft_raw3(SYS_tgkill, weft_raw0(SYS_getpid), weft_raw0(SYS_gettid), SIGABRT);
    for (;;)
        weft_raw1(SYS_exit_group, 134);
}
