/* SPDX-License-Identifier: MIT */
/* Of x86-64, as far as glibc's tests ask. */
#include <elf.h>

#define _STACK_GROWS_DOWN   1
#define DEFAULT_STACK_PERMS (PF_R | PF_W)
