/* SPDX-License-Identifier: MIT */
/*
 * The object's doors: a constructor that only reads the configuration and finds two functions of libc's, and
 * the thread-creating functions, the first call of which turns weft on.
 *
 * At that moment the process has one kernel thread, so libc's text can be rewritten without a race. When
 * anything is not as expected the program stays native, and the trace says why. Never half-way: what can fail
 * is done before the first byte of libc changes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "../core/libev_system.h"
#include "../core/log.h"
#include "../core/machine.h"
#include "../core/processor.h"
#include "../core/raw.h"
#include "../core/stack.h"
#include "../core/trace.h"
#include "../hooks/call.h"
#include "../hooks/identity.h"
#include "../hooks/signal.h"
#include "config.h"
#include "cpu_clock.h"
#include "site.h"

#define EXPORTED __attribute__((visibility("default")))

static struct weft_config config;
static atomic_int state; /* 0 dormant, 1 decided: active or native for good */

typedef int pthread_create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int thrd_create_function(thrd_t *, thrd_start_t, void *);

static void say(const char *what, const char *detail, long number, const char *unit)
{
    if (!weft_trace_mask)
        return;
    struct weft_line line = {0};
    weft_trace_begin(&line, NULL);
    weft_line_text(&line, "weft: ");
    weft_line_text(&line, what);
    weft_line_text(&line, detail);
    if (unit) {
        weft_line_number(&line, number);
        weft_line_text(&line, unit);
    }
    weft_trace_end(&line);
}

static void open_trace(void)
{
    if (!config.trace_mask)
        return;
    weft_trace_fd = 2;
    if (*config.trace_file) {
        long fd = weft_raw4(SYS_openat, AT_FDCWD, (long)config.trace_file,
                            O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        int own = weft_own_descriptor(fd);
        if (own < 0)
            return;
        weft_trace_fd = own;
    }
    weft_trace_mask = config.trace_mask;
}

__attribute__((constructor)) static void loaded(void)
{
    weft_config_read(&config);
    weft_cpu_clock_prepare();
}

/* Kernel threads of this process, by what stands in /proc/self/stat behind the command's name. */
static int kernel_threads(void)
{
    char text[1024];
    long fd = weft_raw4(SYS_openat, AT_FDCWD, (long)"/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    long length = weft_raw3(SYS_read, fd, (long)text, sizeof text - 1);
    weft_raw1(SYS_close, fd);
    if (length <= 0)
        return -1;
    text[length] = 0;
    const char *field = strrchr(text, ')'); /* then: state is field 3, num_threads field 20 */
    for (int i = 2; field && i < 20; i++)
        field = strchr(field + 1, ' ');
    int threads = 0;
    for (field = field ? field + 1 : ""; *field >= '0' && *field <= '9'; field++)
        threads = threads * 10 + *field - '0';
    return threads;
}

/* A shadow stack would have to be switched with the stack. */
static bool shadow_stack_active(void)
{
    enum { ARCH_SHSTK_STATUS = 0x5005 };
    unsigned long features = 0;
    return weft_raw2(SYS_arch_prctl, ARCH_SHSTK_STATUS, (long)&features) == 0 && (features & 1);
}

/* Main's restartable-sequence area is the kernel thread's no longer: see hook_rseq. */
static void unregister_main_rseq(void)
{
    enum { UNREGISTER = 1, SIGNATURE = 0x53053053, CPU_ID = 1, REGISTRATION_FAILED = -2, LEAST = 32 };
    const ptrdiff_t *offset = dlsym(RTLD_DEFAULT, "__rseq_offset");
    const unsigned *size = dlsym(RTLD_DEFAULT, "__rseq_size");
    if (!offset || !size || *size == 0)
        return;
    char *area = (char *)weft_fs_base() + *offset;
    /* The kernel wants the size of the registration: the feature size that __rseq_size tells, or the first
     * version's where that is more. */
    unsigned registered = *size > LEAST ? *size : LEAST;
    if (weft_raw4(SYS_rseq, (long)area, registered, UNREGISTER, SIGNATURE) == 0)
        ((int32_t *)area)[CPU_ID] = REGISTRATION_FAILED;
}

static const char *turn_on(void)
{
    static bool wanted[WEFT_CALL_LIMIT];
    const char *reason = NULL;
    struct weft_site_table *sites = NULL;
    if (config.wrong)
        return config.wrong;
    if (kernel_threads() != 1)
        return "the process has several kernel threads already";
    if (shadow_stack_active())
        return "a shadow stack is active";
    if (weft_sites_find(&sites, &weft_known_libc, &reason) != 0)
        return reason;
    if (weft_machine_start(config.processors) != 0) {
        weft_sites_release(sites);
        return "no memory or descriptors for the first processor";
    }
    weft_identity_start(weft_current);
    weft_hooks_install();
    for (int i = 0; i < WEFT_CALL_LIMIT; i++)
        wanted[i] = weft_hooks[i] != NULL;
    if (weft_sites_redirect(sites, wanted, WEFT_CALL_LIMIT, &reason) != 0) {
        weft_current = NULL;
        weft_sites_release(sites);
        return reason;
    }
    weft_signals_install();
    weft_signals_take_over();
    weft_signal_descriptors_find();
    unregister_main_rseq();
    say("active, processors ", "", (long)weft_processor_count, "");
    say("sites redirected ", "", (long)sites->redirected, sites->known ? ", known when weft was built" : "");
    if (!weft_has_fsgsbase)
        say("no FSGSBASE: each switch is a system call", "", 0, NULL);
    weft_sites_release(sites);
    return NULL;
}

static void turn_on_once(void)
{
    if (atomic_load_explicit(&state, memory_order_relaxed) != 0 || atomic_exchange(&state, 1) != 0)
        return;
    open_trace();
    int saved = errno;
    fenv_t environment; /* libev computes */
    fegetenv(&environment);
    const char *reason = turn_on();
    if (reason)
        say("native: ", reason, 0, NULL);
    fesetenv(&environment);
    errno = saved;
}

EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
                            void *argument)
{
    static _Atomic(pthread_create_function *) next;
    turn_on_once();
    pthread_create_function *real = atomic_load_explicit(&next, memory_order_relaxed);
    if (!real) {
        real = (pthread_create_function *)dlsym(RTLD_NEXT, "pthread_create");
        atomic_store(&next, real);
    }
    weft_stack_wanted = 1;
    int result = real(thread, attributes, function, argument);
    weft_stack_wanted = 0;
    return result;
}

EXPORTED int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    static _Atomic(thrd_create_function *) next;
    turn_on_once();
    thrd_create_function *real = atomic_load_explicit(&next, memory_order_relaxed);
    if (!real) {
        real = (thrd_create_function *)dlsym(RTLD_NEXT, "thrd_create");
        atomic_store(&next, real);
    }
    weft_stack_wanted = 1;
    int result = real(thread, function, argument);
    weft_stack_wanted = 0;
    return result;
}
