/* SPDX-License-Identifier: MIT */
/* See terminal.h. */
#include "terminal.h"

#include <poll.h>

#include "hooks.h"

/* As the kernel has it. */
struct modes {
    uint32_t input, output, control, local;
    uint8_t line, characters[19];
};

enum { GET_MODES = 0x5401, CANONICAL = 2, VTIME_INDEX = 5, VMIN_INDEX = 6 };

bool weft_terminal_counts(int fd)
{
    struct modes modes;
    return weft_raw3(SYS_ioctl, fd, GET_MODES, (long)&modes) == 0 && !(modes.local & CANONICAL) &&
           (modes.characters[VMIN_INDEX] != 1 || modes.characters[VTIME_INDEX] != 0);
}

bool weft_terminal_hung_up(int fd)
{
    struct pollfd poll = {.fd = fd};
    return weft_raw3(SYS_poll, (long)&poll, 1, 0) == 1 && poll.revents & POLLHUP;
}
