// SPDX-License-Identifier: MIT
// getline on a pipe waits for the rest of a line that comes in pieces, grows its buffer, and returns the
// last line without a newline at the end.
#include "io.h"

static int fds[2];

static void *writer(void *unused)
{
    static const char *const pieces[] = {"he", "llo\nwo", "rld\n\n", "par", "tial"};
    static char longer[100000];
    for (int i = 0; i < 5; i++) {
        CHECK(write(fds[1], pieces[i], strlen(pieces[i])) == (ssize_t)strlen(pieces[i]));
        yield_some(50);
    }
    memset(longer, 'x', sizeof longer);
    longer[0] = '\n';
    longer[sizeof longer - 5] = '\n';
    CHECK(write(fds[1], longer, sizeof longer) == sizeof longer);
    CHECK(close(fds[1]) == 0);
    return unused;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    CHECK(pipe(fds) == 0);
    FILE *in = fdopen(fds[0], "r");
    pthread_t thread = guest_start(writer, NULL);
    while ((length = getline(&line, &size, in)) >= 0)
        printf("%zd: %.10s%s", length, line, length > 10 || line[length - 1] != '\n' ? "\n" : "");
    CHECK(feof(in) && !ferror(in));
    guest_join(thread);
    free(line);
    return guest_success();
}
