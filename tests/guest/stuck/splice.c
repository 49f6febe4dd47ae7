// SPDX-License-Identifier: MIT
// Threads splice a pipe to a receiver that does not read, and an empty pipe to one that would; a hundred
// others go on.
#include "stuck.h"

enum { BYTES = 3000 };

static int from[STUCK_FEW][2], to[STUCK_FEW][2];
static size_t before[STUCK_FEW];
static unsigned char bytes[BYTES];

static bool full(int index)
{
    return index % 2 == 0;
}

static void provide(int index)
{
    pattern_fill(bytes, BYTES, (size_t)index);
    CHECK_EQUAL(write(from[index][1], bytes, BYTES), BYTES);
}

static void prepare(int threads)
{
    for (int i = 0; i < threads; i++) {
        before[i] = full(i) ? fill_up(to[i][0]) : 0;
        if (full(i))
            provide(i);
    }
}

static void block(int index)
{
    for (ssize_t done = 0, count; done < BYTES; done += count) {
        count = splice(from[index][0], NULL, to[index][0], NULL, (size_t)(BYTES - done), 0);
        CHECK(count > 0);
    }
}

static void release(int threads)
{
    static char ignored[4096];
    for (int i = 0; i < threads; i++) {
        if (!full(i))
            provide(i);
        for (size_t size; before[i] > 0; before[i] -= size) {
            size = before[i] < sizeof ignored ? before[i] : sizeof ignored;
            read_whole(to[i][1], ignored, size);
        }
        read_whole(to[i][1], bytes, BYTES);
        pattern_check(bytes, BYTES, (size_t)i);
    }
}

int main(void)
{
    static const struct stuck kind = {prepare, block, release};
    for (int i = 0; i < STUCK_FEW; i++) {
        CHECK(pipe(from[i]) == 0);
        unix_pair(SOCK_STREAM, to[i]);
    }
    return stuck_run(&kind);
}
