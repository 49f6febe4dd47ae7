/* SPDX-License-Identifier: MIT */
/*
 * Whose memory is it? See mapping.h.
 *
 * /proc/self/pagemap answers in constant time for one page what the kernel asks itself when it makes the key
 * of a futex: is the page anonymous? The file is opened at the first question and kept, as one of weft's own
 * descriptors: a number that the program could be given would come and go under its eyes.
 *
 * Rejected: /proc/self/maps, which takes longer the more threads have stacks; remembering answers, since the
 * program may map something else at the same place.
 */
#include "mapping.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>

#include "../core/libev_system.h"
#include "../core/raw.h"

enum { PAGE_BITS = 12, UNKNOWN = -1, UNAVAILABLE = -2 };

/* Bits of an entry; the kernel's Documentation/admin-guide/mm/pagemap.rst. */
static const uint64_t PRESENT = UINT64_C(1) << 63, SWAPPED = UINT64_C(1) << 62,
                      FILE_OR_SHARED = UINT64_C(1) << 61;

static atomic_int pagemap = UNKNOWN;

static int pagemap_descriptor(void)
{
    int fd = atomic_load_explicit(&pagemap, memory_order_acquire);
    if (fd != UNKNOWN)
        return fd;
    fd = weft_own_descriptor(
        weft_raw4(SYS_openat, AT_FDCWD, (long)"/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0));
    int before = UNKNOWN;
    if (fd < 0)
        fd = UNAVAILABLE;
    if (atomic_compare_exchange_strong(&pagemap, &before, fd))
        return fd;
    if (fd >= 0)
        weft_disown_descriptor(fd);
    return before;
}

bool weft_mapping_is_own(const void *address)
{
    uint64_t entry;
    int fd = pagemap_descriptor();
    if (fd < 0)
        return false;
    long size = weft_raw4(SYS_pread64, fd, (long)&entry, sizeof entry,
                          (long)(((uintptr_t)address >> PAGE_BITS) * sizeof entry));
    return size == sizeof entry && entry & (PRESENT | SWAPPED) && !(entry & FILE_OR_SHARED);
}

void weft_mapping_restart(void)
{
    int fd = atomic_exchange(&pagemap, UNKNOWN);
    if (fd >= 0)
        weft_disown_descriptor(fd);
}
