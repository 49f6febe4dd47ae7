/* SPDX-License-Identifier: MIT */
/*
 * signalfd. It tells of what the kernel has, for the process or for the reading thread alone. What is for one
 * of our threads alone is in our queues, so when all threads block it, and a signalfd tells of it, it is left
 * to the kernel as if it was for the process. (Natively other threads would not read it; it would wait for
 * ever instead.)
 *
 * Contexts: hooks; once when weft becomes active.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>

#include "../core/park.h"
#include "hooks.h"
#include "signal.h"
#include "user.h"

static _Atomic uint64_t told_of; /* by any signalfd that there is, or was */

/* Those that were made before weft became active. */
void weft_signal_descriptors_find(void)
{
    struct entry {
        uint64_t inode;
        int64_t offset;
        uint16_t length;
        uint8_t type;
        char name[];
    };
    _Alignas(struct entry) char room[1024];
    long directory =
        weft_raw4(SYS_openat, AT_FDCWD, (long)"/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    long length;
    while ((length = weft_raw3(SYS_getdents64, directory, (long)room, sizeof room)) > 0)
        for (long at = 0; at < length;) {
            const struct entry *entry = (const struct entry *)&room[at];
            atomic_fetch_or(&told_of, weft_signals_in_file(directory, entry->name, "\nsigmask:\t"));
            at += entry->length;
        }
    if (directory >= 0)
        weft_raw1(SYS_close, directory);
}

bool weft_signal_descriptors_tell(int number)
{
    uint64_t bit = weft_signal_bit(number);
    return atomic_load(&told_of) & bit && weft_signal_kernel_mask() & bit;
}

/* signalfd(fd, mask, size), signalfd4(fd, mask, size, flags). What waits already is told of, too. */
WEFT_HOOK(signalfd)
{
    struct coroutine *self = weft_current;
    uint64_t set;
    siginfo_t info;
    long result = weft_call_raw(call);
    if (result < 0 || !weft_user_read(&set, (const void *)call->arguments[1], sizeof set))
        return result;
    atomic_fetch_or(&told_of, set);
    while (weft_signal_next(self, set & weft_signal_kernel_mask(), &info))
        weft_signal_leave_to_kernel(&info);
    return result;
}
