// SPDX-License-Identifier: MIT
// errno is the thread's own over every stop: its address is computed once and kept (the function that gives
// it is declared const), and calls that fail after the thread went on set it where the thread sees it.
#include "move.h"

static void *body(void *index)
{
    struct mover mover = mover_begin((int)(intptr_t)index);
    int *place = &errno;
    for (int i = 1; i <= MOVE_ROUNDS; i++) {
        int mine = 1000 + (int)(intptr_t)index * MOVE_ROUNDS + i;
        errno = mine;
        move(&mover);
        CHECK_EQUAL(errno, mine);
        CHECK(place == &errno && *place == mine);
        CHECK(close(-1) == -1 && errno == EBADF);
        move(&mover);
        CHECK_EQUAL(*place, EBADF);
        CHECK(open("missing/file", O_RDONLY) == -1 && *place == ENOENT);
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    guest_threads(MOVE_THREADS, body);
    puts("every errno was kept");
    return move_success();
}
