/* SPDX-License-Identifier: MIT */
/* Scatter/gather vectors that are worked off in several steps. The program's own is never changed. */
#ifndef WEFT_HOOKS_VECTOR_H
#define WEFT_HOOKS_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum { WEFT_VECTOR_INLINE = 4 };

struct weft_vector {
    struct iovec *parts; /* what is left */
    long count;
    struct iovec *allocated; /* NULL: `inlined` is used */
    struct iovec inlined[WEFT_VECTOR_INLINE];
};

/* Copies `count` parts. Returns 0, -EINVAL (a count the kernel would refuse) or -ENOMEM. */
long weft_vector_copy(struct weft_vector *vector, const struct iovec *parts, long count);
void weft_vector_release(struct weft_vector *vector);

/* Steps over `size` bytes; returns true when nothing is left. */
bool weft_vector_advance(struct weft_vector *vector, size_t size);

/* Bytes in all parts; 0 for what the kernel would refuse. */
size_t weft_vector_size(const struct iovec *parts, long count);

#endif
