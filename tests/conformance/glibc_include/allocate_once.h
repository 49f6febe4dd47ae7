/* SPDX-License-Identifier: MIT */
/* glibc's internal allocate_once, for its tests: what `allocate` gives, made once and kept in *place. */
#include <stdlib.h>

static inline void *allocate_once(void **place, void *(*allocate)(void *), void (*release)(void *, void *),
                                  void *closure)
{
    void *made, *kept = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (kept || !(made = allocate(closure)) ||
        __atomic_compare_exchange_n(place, &kept, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return kept ? kept : made;
    if (release)
        release(closure, made);
    else
        free(made);
    return kept;
}
