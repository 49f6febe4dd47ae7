/* SPDX-License-Identifier: MIT */
/*
 * Functions that ask about another thread in a way that no system call's hook could answer:
 * pthread_setname_np and pthread_getname_np open a file of /proc, and pthread_getcpuclockid makes a clock's
 * id of a thread id, where ours do not fit (hooks/cpu_clock.h). While weft is not active they are libc's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "../hooks/cpu_clock.h"
#include "../hooks/identity.h"

#define EXPORTED __attribute__((visibility("default")))

typedef int pthread_setname_np_function(pthread_t, const char *);
typedef int pthread_getname_np_function(pthread_t, char *, size_t);
typedef int pthread_getcpuclockid_function(pthread_t, clockid_t *);

EXPORTED int pthread_setname_np(pthread_t thread, const char *text)
{
    if (!weft_current) {
        pthread_setname_np_function *real =
            (pthread_setname_np_function *)dlsym(RTLD_NEXT, "pthread_setname_np");
        return real(thread, text);
    }
    struct weft_name name = {0};
    size_t length = strlen(text);
    if (length >= sizeof name.text)
        return ERANGE;
    struct coroutine *coroutine = weft_identity_find(thread);
    if (!coroutine)
        return ENOENT;
    memcpy(name.text, text, length);
    weft_identity_rename(coroutine, &name);
    return 0;
}

EXPORTED int pthread_getname_np(pthread_t thread, char *text, size_t size)
{
    if (!weft_current) {
        pthread_getname_np_function *real =
            (pthread_getname_np_function *)dlsym(RTLD_NEXT, "pthread_getname_np");
        return real(thread, text, size);
    }
    if (size < sizeof(struct weft_name))
        return ERANGE;
    struct coroutine *coroutine = weft_identity_find(thread);
    if (!coroutine)
        return ENOENT;
    struct weft_name name = weft_identity_name(coroutine);
    memcpy(text, name.text, sizeof name.text);
    return 0;
}

EXPORTED int pthread_getcpuclockid(pthread_t thread, clockid_t *clock)
{
    if (!weft_current) {
        pthread_getcpuclockid_function *real =
            (pthread_getcpuclockid_function *)dlsym(RTLD_NEXT, "pthread_getcpuclockid");
        return real(thread, clock);
    }
    struct coroutine *coroutine = weft_identity_find(thread);
    if (!coroutine)
        return ESRCH;
    *clock = weft_cpu_clock_id(coroutine);
    return 0;
}
