/* SPDX-License-Identifier: MIT */
#include "vector.h"

#include <errno.h>
#include <limits.h>

#include "../core/slab.h"

long weft_vector_copy(struct weft_vector *vector, const struct iovec *parts, long count)
{
    if (count < 0 || count > IOV_MAX)
        return -EINVAL;
    vector->allocated = NULL;
    vector->parts = vector->inlined;
    if (count > WEFT_VECTOR_INLINE) {
        vector->allocated = weft_reallocate(NULL, (long)(count * (long)sizeof *parts));
        if (!vector->allocated)
            return -ENOMEM;
        vector->parts = vector->allocated;
    }
    for (long i = 0; i < count; i++)
        vector->parts[i] = parts[i];
    vector->count = count;
    return 0;
}

void weft_vector_release(struct weft_vector *vector)
{
    if (vector->allocated)
        weft_reallocate(vector->allocated, 0);
}

bool weft_vector_advance(struct weft_vector *vector, size_t size)
{
    while (vector->count > 0 && size >= vector->parts->iov_len) {
        size -= vector->parts->iov_len;
        vector->parts++;
        vector->count--;
    }
    if (vector->count > 0) {
        vector->parts->iov_base = (char *)vector->parts->iov_base + size;
        vector->parts->iov_len -= size;
    }
    return vector->count == 0;
}

size_t weft_vector_size(const struct iovec *parts, long count)
{
    size_t size = 0;
    if (!parts || count < 0 || count > IOV_MAX)
        return 0;
    for (long i = 0; i < count; i++)
        if (__builtin_add_overflow(size, parts[i].iov_len, &size))
            return 0;
    return size;
}
