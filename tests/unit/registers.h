/* SPDX-License-Identifier: MIT */
/* Registers as a test sees them; registers.S. */
#ifndef WEFT_UNIT_REGISTERS_H
#define WEFT_UNIT_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

struct registers {
    uint64_t preserved[6];  /* rbx rbp r12 r13 r14 r15 */
    uint64_t vector[16][2]; /* xmm0 … xmm15 */
};

_Static_assert(offsetof(struct registers, vector) == 48, "registers.S");

/* Fills the registers from `in`, calls target with the four arguments, and stores the registers to `out`. */
void registers_across(void *target, void *const arguments[4], const struct registers *in,
                      struct registers *out);

/* The floating-point environment as a switch knows it: x87 exception flags without the rest of its status. */
struct floating {
    uint32_t mxcsr;
    uint16_t control, flags;
};

void floating_store(struct floating *floating);
void floating_load(const struct floating *floating);

#endif
