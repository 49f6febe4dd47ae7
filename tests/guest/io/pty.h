// SPDX-License-Identifier: MIT
// A pair of terminals.
#ifndef GUEST_IO_PTY_H
#define GUEST_IO_PTY_H

#include "io.h"

#include <termios.h>

static inline void pty_open(int *master, int *slave)
{
    *master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0);
    *slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
    CHECK(*slave >= 0);
}

// Raw: termios(3) tells what `minimum` (VMIN) and `tenths` (VTIME) mean.
static inline void pty_raw(int slave, int minimum, int tenths)
{
    struct termios mode;
    CHECK(tcgetattr(slave, &mode) == 0);
    cfmakeraw(&mode);
    mode.c_cc[VMIN] = (cc_t)minimum;
    mode.c_cc[VTIME] = (cc_t)tenths;
    CHECK(tcsetattr(slave, TCSANOW, &mode) == 0);
}

#endif
