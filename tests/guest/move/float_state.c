// SPDX-License-Identifier: MIT
// The rounding mode, the exception flags and the x87 precision are the thread's own over stops.
#include "move.h"
#include <fenv.h>

static unsigned short x87_control(void)
{
    unsigned short word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static void *body(void *index)
{
    static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    static const int flags[] = {0, FE_INEXACT, FE_OVERFLOW, FE_DIVBYZERO};
    int i = (int)(intptr_t)index;
    struct mover mover = mover_begin(i);
    volatile double one = 1, three = 3;
    CHECK_EQUAL(fesetround(modes[i % 4]), 0);
    if (i % 3 == 0) {
        unsigned short single = x87_control() & (unsigned short)~0x300;
        __asm__ volatile("fldcw %0" : : "m"(single));
    }
    unsigned short control = x87_control();
    double third = one / three;
    for (int round = 0; round < MOVE_ROUNDS; round++) {
        CHECK_EQUAL(feclearexcept(FE_ALL_EXCEPT), 0);
        CHECK_EQUAL(feraiseexcept(flags[i / 4 % 4]), 0);
        int raised = fetestexcept(FE_ALL_EXCEPT);
        move(&mover);
        CHECK_EQUAL(fetestexcept(FE_ALL_EXCEPT), raised);
        CHECK_EQUAL(fegetround(), modes[i % 4]);
        CHECK_EQUAL(x87_control(), control);
        CHECK(one / three == third);
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    guest_threads(MOVE_THREADS, body);
    puts("every thread kept its rounding");
    return move_success();
}
