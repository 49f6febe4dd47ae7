/* SPDX-License-Identifier: MIT */
/* See terminal.h. */
#include "terminal.h"

#include <poll.h>
#include <sys/ioctl.h>

#include "hooks.h"

/* As the kernel has it. */
struct modes {
    uint32_t input, output, control, local;
    uint8_t line, characters[19];
};

enum { CANONICAL = 2, VTIME_INDEX = 5, VMIN_INDEX = 6 };

bool weft_terminal_counts(int fd)
{
    struct modes modes;
    return weft_raw3(SYS_ioctl, fd, TCGETS, (long)&modes) == 0 && !(modes.local & CANONICAL) &&
           (modes.characters[VMIN_INDEX] != 1 || modes.characters[VTIME_INDEX] != 0);
}

bool weft_terminal_hung_up(int fd)
{
    struct pollfd poll = {.fd = fd};
    return weft_raw3(SYS_poll, (long)&poll, 1, 0) == 1 && poll.revents & POLLHUP;
}

/* Most terminals are not the controlling one: the first call says so. A master's slave may be another's. */
bool weft_terminal_in_background(int fd)
{
    int group, session;
    return weft_raw3(SYS_ioctl, fd, TIOCGPGRP, (long)&group) == 0 && group != weft_raw1(SYS_getpgid, 0) &&
           weft_raw3(SYS_ioctl, fd, TIOCGSID, (long)&session) == 0 && session == weft_raw1(SYS_getsid, 0);
}

bool weft_terminal_controls_jobs(unsigned long request)
{
    enum { SIZE_BITS = 0x3fff0000, SETS2 = 0x4000542b, SETSF2 = SETS2 + 2 };
    switch (request) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
    case TCFLSH:
    case TCXONC:
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
    case TIOCSETD:
    case TIOCSPGRP:
        return true;
    default: /* TCSETS2, TCSETSW2, TCSETSF2 */
        return (request & ~(unsigned long)SIZE_BITS) >= SETS2 &&
               (request & ~(unsigned long)SIZE_BITS) <= SETSF2;
    }
}
