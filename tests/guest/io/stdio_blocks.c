// SPDX-License-Identifier: MIT
// fread of large blocks from a socket whose writer uses fwrite: a block is whole though it comes in
// pieces; the last one is short.
#include "io.h"

enum { BLOCK = 300000, BLOCKS = 10, REST = 12345 };

static int fds[2];

static void *writer(void *unused)
{
    static unsigned char data[BLOCK];
    FILE *out = fdopen(fds[1], "w");
    for (size_t at = 0; at < (size_t)BLOCK * BLOCKS + REST;) {
        size_t length = 1 + at * 7 % 50000;
        if (length > (size_t)BLOCK * BLOCKS + REST - at)
            length = (size_t)BLOCK * BLOCKS + REST - at;
        pattern_fill(data, length, at);
        CHECK(fwrite(data, 1, length, out) == length);
        at += length;
    }
    CHECK(fclose(out) == 0);
    return unused;
}

int main(void)
{
    static unsigned char block[BLOCK];
    size_t blocks = 0, count;
    tcp_pair(fds);
    FILE *in = fdopen(fds[0], "r");
    pthread_t thread = guest_start(writer, NULL);
    while ((count = fread(block, 1, BLOCK, in)) == BLOCK)
        pattern_check(block, BLOCK, BLOCK * blocks++);
    pattern_check(block, count, BLOCK * blocks);
    CHECK(feof(in) && !ferror(in));
    guest_join(thread);
    printf("%zu blocks and %zu bytes\n", blocks, count);
    return guest_success();
}
