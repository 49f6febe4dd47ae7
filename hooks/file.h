/* SPDX-License-Identifier: MIT */
/* Calls that may wait for a disk. */
#ifndef WEFT_HOOKS_FILE_H
#define WEFT_HOOKS_FILE_H

#include "call.h"

struct weft_descriptor;

/* Executes the call in the kernel; when it takes long, others go on without this kernel thread. Does not
 * park, but afterwards the processor may be another's. */
long weft_call_brief(const struct weft_call *call);

/* read or pread64 on a file. What is cached is read at once, what is not by giving the processor away: may
 * park (reason: processor). `descriptor` may be NULL. */
long weft_file_read(struct weft_call *call, struct weft_descriptor *descriptor);

#endif
