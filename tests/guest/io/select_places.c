// SPDX-License-Identifier: MIT
// The sets and the time-out of select may lie anywhere: on the thread's stack, on main's, in the heap, at the
// very end of what is mapped. A part that cannot be read is EFAULT and leaves the rest alone. What is ready
// at once leaves less than the whole time.
#include "io.h"
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>

static int fds[2];

struct places {
    fd_set readable, writable;
    struct timeval timeout;
};

static void use(const char *name, struct places *places, bool ready)
{
    FD_ZERO(&places->readable);
    FD_ZERO(&places->writable);
    FD_SET(fds[0], &places->readable);
    if (ready)
        FD_SET(fds[1], &places->writable);
    places->timeout = (struct timeval){0, 20000};
    int count =
        select(fds[1] + 1, &places->readable, ready ? &places->writable : NULL, NULL, &places->timeout);
    printf("%s: %d, readable %d, writable %d, time left %d\n", name, count,
           FD_ISSET(fds[0], &places->readable) != 0, FD_ISSET(fds[1], &places->writable) != 0,
           places->timeout.tv_usec > 0);
    CHECK(places->timeout.tv_sec == 0 && places->timeout.tv_usec < 20000);
}

static void *user(void *mains)
{
    struct places here, *heap = malloc(sizeof *heap);
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(heap && pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    for (int ready = 1; ready >= 0; ready--) {
        use("own stack", &here, ready);
        use("main's stack", mains, ready);
        use("heap", heap, ready);
    }
    /* fds are below 64: of a set, the kernel reads one word. */
    fd_set *last_word = (fd_set *)(pages + 4096 - sizeof(long)), *beyond = (fd_set *)(pages + 4096);
    long *word = (long *)last_word;
    *word = 1L << fds[1];
    CHECK(select(fds[1] + 1, NULL, last_word, NULL, NULL) == 1 && *word == 1L << fds[1]);
    FD_ZERO(&here.writable);
    FD_SET(fds[0], &here.writable);
    CHECK_FAILS(syscall(SYS_select, fds[1] + 1, beyond, &here.writable, NULL, NULL), EFAULT);
    CHECK_FAILS(syscall(SYS_select, fds[1] + 1, NULL, last_word, NULL, beyond), EFAULT);
    CHECK(FD_ISSET(fds[0], &here.writable) && *word == 1L << fds[1]);
    free(heap);
    return NULL;
}

int main(void)
{
    struct places mine;
    CHECK(pipe(fds) == 0);
    guest_join(guest_start(user, &mine));
    return guest_success();
}
