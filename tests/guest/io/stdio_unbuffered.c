// SPDX-License-Identifier: MIT
// An unbuffered and a line-buffered stream over a pipe write when they say: fputc at once, a line at its
// end.
#include "io.h"

static int fds[2];

static void *reader(void *unused)
{
    char text[10];
    CHECK(read(fds[0], text, sizeof text) == 1 && text[0] == 'a');
    blocks_next();
    CHECK(read(fds[0], text, sizeof text) == 4 && memcmp(text, "bcd\n", 4) == 0);
    return unused;
}

int main(void)
{
    unix_pair(SOCK_SEQPACKET, fds);
    FILE *unbuffered = fdopen(fds[1], "w"), *by_line = fdopen(dup(fds[1]), "w");
    CHECK(setvbuf(unbuffered, NULL, _IONBF, 0) == 0 && setvbuf(by_line, NULL, _IOLBF, 1000) == 0);
    pthread_t thread = guest_start(reader, NULL);
    CHECK(fputc('a', unbuffered) == 'a');
    wait_blocked(1);
    for (const char *at = "bcd\n"; *at; at++) {
        CHECK(fputc(*at, by_line) == *at);
        yield_some(10);
    }
    guest_join(thread);
    puts("byte, line");
    return guest_success();
}
