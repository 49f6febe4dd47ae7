// SPDX-License-Identifier: MIT
// longjmp and siglongjmp over stops: a jump leads back into the frame that set it, with its locals, its
// signal mask and the thread that it was.
#include "move.h"
#include <setjmp.h>
#include <signal.h>

static __thread jmp_buf *target;
static __thread int identity;

static __attribute__((noinline)) void descend(struct mover *mover, int depth, int value)
{
    volatile char frame[200];
    frame[depth] = (char)depth;
    move(mover);
    if (depth > 0)
        descend(mover, depth - 1, value);
    else if (value > 0)
        longjmp(*target, value);
    CHECK_EQUAL(frame[depth], -1); // never reached: value is positive
}

static void jump_plain(struct mover *mover, int me, int value)
{
    jmp_buf buffer;
    volatile int local = value * 3;
    target = &buffer;
    int came = setjmp(buffer);
    if (came == 0) {
        move(mover);
        descend(mover, 3, value);
    }
    CHECK(came == value && local == value * 3 && identity == me && target == &buffer);
}

static void jump_signal_mask(struct mover *mover)
{
    sigjmp_buf buffer;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    if (sigsetjmp(buffer, 1) == 0) {
        CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
        move(mover);
        CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
        CHECK(sigismember(&set, SIGUSR1));
        siglongjmp(buffer, 1);
    }
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
    CHECK(!sigismember(&set, SIGUSR1));
}

static void *body(void *index)
{
    struct mover mover = mover_begin((int)(intptr_t)index);
    identity = (int)(intptr_t)index;
    for (int i = 1; i <= MOVE_ROUNDS / 3; i++) {
        jump_plain(&mover, (int)(intptr_t)index, i);
        jump_signal_mask(&mover);
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    guest_threads(MOVE_THREADS, body);
    puts("every jump came back");
    return move_success();
}
