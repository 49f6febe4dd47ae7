/* SPDX-License-Identifier: MIT */
/*
 * clock_gettime and clock_getres. libc's call the vDSO, which makes the system call for CPU clocks by itself,
 * out of reach of our sites. So these two are ours: the clock of a thread is asked for by syscall(2), which
 * is a site; everything else is libc's, at the price of one jump.
 *
 * Rejected, see ARCHITECTURE.md: the vDSO's own system calls as sites; libc's pointers into the vDSO.
 */
#include "cpu_clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../core/raw.h"
#include "../hooks/cpu_clock.h"

#define EXPORTED __attribute__((visibility("default")))

typedef int clock_function(clockid_t, struct timespec *);

static clock_function *libcs_gettime, *libcs_getres;

void weft_cpu_clock_prepare(void)
{
    libcs_gettime = (clock_function *)dlsym(RTLD_NEXT, "clock_gettime");
    libcs_getres = (clock_function *)dlsym(RTLD_NEXT, "clock_getres");
}

/* Before our constructor, in that of another object. */
__attribute__((cold)) static int early(long number, clockid_t clock, struct timespec *time)
{
    long result = weft_raw2(number, clock, (long)time);
    if (result == 0)
        return 0;
    errno = (int)-result;
    return -1;
}

EXPORTED int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (__builtin_expect(weft_cpu_clock_of_thread(clock), 0) && weft_current)
        return (int)syscall(SYS_clock_gettime, clock, time);
    return libcs_gettime ? libcs_gettime(clock, time) : early(SYS_clock_gettime, clock, time);
}

EXPORTED int clock_getres(clockid_t clock, struct timespec *resolution)
{
    if (__builtin_expect(weft_cpu_clock_of_thread(clock), 0) && weft_current)
        return (int)syscall(SYS_clock_getres, clock, resolution);
    return libcs_getres ? libcs_getres(clock, resolution) : early(SYS_clock_getres, clock, resolution);
}
