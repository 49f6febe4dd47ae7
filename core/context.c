/* SPDX-License-Identifier: MIT */
/* Contexts that have not run yet, and what the switch must know of the machine. */
#include "context.h"

#include <elf.h>
#include <sys/auxv.h>

void weft_context_start(void);      /* switch.S */
void weft_entry_return_child(void); /* preload/entry.S */

uint8_t weft_has_fsgsbase;

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

void weft_context_initialize(void)
{
    weft_has_fsgsbase = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
}

/* The image that STORE_FP_IMAGE of switch.S makes of the running environment. */
static uint64_t fp_image(void)
{
    uint32_t mxcsr;
    uint16_t control, status;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tfnstsw %2" : "=m"(mxcsr), "=m"(control), "=m"(status));
    return mxcsr | (uint64_t)control << 32 | (uint64_t)(status & 0x3f) << 48;
}

void weft_context_prepare(struct weft_context *context, void *top, uintptr_t fs_base, void (*entry)(void *),
                          void *argument)
{
    uintptr_t *words = (uintptr_t *)((uintptr_t)top & ~(uintptr_t)15);
    *--words = (uintptr_t)entry;
    *--words = (uintptr_t)argument;
    *--words = fp_image();
    *--words = (uintptr_t)weft_context_start;
    context->rsp = words;
    context->fs_base = fs_base;
}

void weft_context_prepare_call_return(struct weft_context *context, void *call, uintptr_t fs_base)
{
    uintptr_t *words = call;
    *--words = fp_image();
    *--words = (uintptr_t)weft_entry_return_child;
    context->rsp = words;
    context->fs_base = fs_base;
}
