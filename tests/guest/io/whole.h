// SPDX-License-Identifier: MIT
// A slow reader for the programs that send 8 MiB by one call.
#ifndef GUEST_IO_WHOLE_H
#define GUEST_IO_WHOLE_H

#include "io.h"

enum { WHOLE = 8 << 20 };

static unsigned char whole_data[WHOLE];

// Reads small pieces first and lets the others run in between, checks every byte; returns the total at the
// end.
static inline size_t whole_read(int fd)
{
    static unsigned char piece[65536];
    size_t total = 0;
    for (int turn = 0;; turn++) {
        ssize_t count = read(fd, piece, turn < 20 ? 1000 + 37 * (size_t)turn : sizeof piece);
        CHECK(count >= 0);
        if (count == 0)
            return total;
        pattern_check(piece, (size_t)count, total);
        total += (size_t)count;
        yield_some(2);
    }
}

#endif
