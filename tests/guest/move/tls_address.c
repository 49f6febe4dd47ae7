// SPDX-License-Identifier: MIT
// Addresses of __thread variables that are computed before a thread stops are right when it goes on, in the
// program (local exec) and in a library (general dynamic); so is what they point to.
#include "move.h"

long *move_library_counter(void);
int move_library_step(void (*between)(void *), void *argument);

static __thread long counter;
static __thread char text[32] = "initial";
static _Thread_local struct mover mover;

static void between(void *unused)
{
    (void)unused;
    move(&mover);
}

static void *body(void *index)
{
    long *early = &counter, *library = move_library_counter();
    mover = mover_begin((int)(intptr_t)index);
    CHECK(strcmp(text, "initial") == 0 && counter == 0 && *library == 100);
    snprintf(text, sizeof text, "thread %d", (int)(intptr_t)index);
    for (int i = 1; i <= MOVE_ROUNDS; i++) {
        char *first = text, expected[32];
        counter++; // its address is likely to stay in a register over the call
        move(&mover);
        counter++;
        CHECK_EQUAL(counter, 2 * i);
        CHECK(early == &counter && library == move_library_counter());
        snprintf(expected, sizeof expected, "thread %d", (int)(intptr_t)index);
        CHECK(first == text && strcmp(first, expected) == 0);
        CHECK_EQUAL(move_library_step(between, NULL), 100 + 2 * i);
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    guest_threads(MOVE_THREADS, body);
    puts("every thread found its own");
    return move_success();
}
