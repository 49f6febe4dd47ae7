/* SPDX-License-Identifier: MIT */
#ifndef WEFT_HOOKS_CONNECT_H
#define WEFT_HOOKS_CONNECT_H

/* In the child of a fork: nobody accepts just now. */
void weft_accepts_restart(void);

#endif
