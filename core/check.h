/* SPDX-License-Identifier: MIT */
/*
 * Broken invariants end the process, in every build: one line by write(2), then abort.
 * A state that merely was not foreseen is no broken invariant: there weft goes native.
 */
#ifndef WEFT_CORE_CHECK_H
#define WEFT_CORE_CHECK_H

/* Writes "weft: broken invariant: TEXT (FILE:LINE)" to descriptor 2 and kills the process with
 * SIGABRT, without libc. */
_Noreturn void weft_broken(const char *text, const char *file, int line);

#define weft_check(condition)                            \
    do {                                                 \
        if (__builtin_expect(!(condition), 0))           \
            weft_broken(#condition, __FILE__, __LINE__); \
    } while (0)

#endif
