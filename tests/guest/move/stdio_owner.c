// SPDX-License-Identifier: MIT
// A thread that holds a stream's lock still holds it after a stop: it may take it again, nobody gets
// between its lines, and ftrylockfile fails for the others.
#include "move.h"
#include <stdatomic.h>

enum { ROUNDS = 40 };

static FILE *stream;
static atomic_int inside;

static void *body(void *index)
{
    struct mover mover = mover_begin((int)(intptr_t)index);
    for (int i = 0; i < ROUNDS; i++) {
        flockfile(stream);
        CHECK_EQUAL(atomic_fetch_add(&inside, 1), 0);
        fprintf(stream, "%d", (int)(intptr_t)index);
        move(&mover);
        CHECK_EQUAL(ftrylockfile(stream), 0); // its own: taken a second time
        fprintf(stream, " %d", i);
        move(&mover);
        fprintf(stream, " %d\n", (int)(intptr_t)index);
        funlockfile(stream);
        CHECK_EQUAL(atomic_fetch_sub(&inside, 1), 1);
        funlockfile(stream);
        move(&mover);
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    int next[MOVE_THREADS] = {0}, first, round, last, lines = 0;
    stream = fopen("lines", "w+");
    CHECK(stream != NULL);
    guest_threads(MOVE_THREADS, body);
    rewind(stream);
    while (fscanf(stream, "%d %d %d", &first, &round, &last) == 3) {
        CHECK(first == last && first >= 0 && first < MOVE_THREADS);
        CHECK_EQUAL(round, next[first]++);
        lines++;
    }
    CHECK_EQUAL(lines, MOVE_THREADS * ROUNDS);
    printf("%d whole lines\n", lines);
    return move_success();
}
