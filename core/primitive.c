/* SPDX-License-Identifier: MIT */
/*
 * The coroutines of weft.h: a stack each, on the same switch as everything else. They keep the FS base of
 * the thread that resumes them, so compiled code must not cache the address of `running` across a switch:
 * it is read through a function.
 *
 *     ┌────────────┬─────────────────────────────┬─────────────────────────┐
 *     │ guard page │ stack ◄── grows down        │ struct weft_coroutine   │
 *     └────────────┴─────────────────────────────┴─────────────────────────┘
 */
#include "weft.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "context.h"
#include "raw.h"
#include "slab.h"

#define EXPORTED __attribute__((visibility("default")))

enum { PAGE = 4096, STACK_LEAST = 16 * 1024, STACK_DEFAULT = 256 * 1024 };

struct weft_coroutine {
    struct weft_context context;
    struct weft_context resumer_context; /* valid while running or normal */
    struct weft_coroutine *resumer;      /* the one that waits for this one; NULL: the thread itself */
    _Atomic enum weft_coroutine_status status;
    weft_coroutine_function *function;
    void *argument;
    void *value; /* on its way through a switch */
    char *pages;
    size_t size;
};

static __thread struct weft_coroutine *running __attribute__((tls_model("initial-exec")));

__attribute__((noinline)) static struct weft_coroutine **running_place(void)
{
    struct weft_coroutine **place = &running;
    __asm__("" : "+r"(place)); /* another thread's after a switch: never to be remembered */
    return place;
}

/* On the resumer's stack: from here on another thread may resume, or close. */
static void mark_suspended(void *self)
{
    atomic_store(&((struct weft_coroutine *)self)->status, WEFT_COROUTINE_SUSPENDED);
}

static void mark_dead(void *self)
{
    atomic_store(&((struct weft_coroutine *)self)->status, WEFT_COROUTINE_DEAD);
}

static void run(void *argument)
{
    struct weft_coroutine *self = argument;
    self->value = self->function(self->value, self->argument);
    weft_switch(&self->context, &self->resumer_context, mark_dead, self);
    __builtin_trap();
}

EXPORTED int weft_coroutine_create(struct weft_coroutine **coroutine, weft_coroutine_function *function,
                                   void *argument, size_t stack_size)
{
    if (!function || stack_size > SIZE_MAX / 2)
        return -EINVAL;
    if (!weft_has_fsgsbase)
        weft_context_initialize();
    if (stack_size == 0)
        stack_size = STACK_DEFAULT;
    if (stack_size < STACK_LEAST)
        stack_size = STACK_LEAST;
    size_t size = PAGE + ((stack_size + sizeof(struct weft_coroutine) + PAGE - 1) & ~(size_t)(PAGE - 1));
    char *pages = weft_pages_map(size);
    if (!pages)
        return -ENOMEM;
    if (weft_raw3(SYS_mprotect, (long)pages, PAGE, PROT_NONE) != 0) {
        weft_pages_unmap(pages, size);
        return -ENOMEM;
    }
    struct weft_coroutine *self = (struct weft_coroutine *)(pages + size) - 1;
    self = (struct weft_coroutine *)((uintptr_t)self & ~(uintptr_t)15);
    self->status = WEFT_COROUTINE_SUSPENDED;
    self->function = function;
    self->argument = argument;
    self->pages = pages;
    self->size = size;
    weft_context_prepare(&self->context, self, 0, run, self);
    *coroutine = self;
    return 0;
}

EXPORTED int weft_coroutine_resume(struct weft_coroutine *coroutine, void *value_in, void **value_out)
{
    enum weft_coroutine_status expected = WEFT_COROUTINE_SUSPENDED;
    if (!atomic_compare_exchange_strong(&coroutine->status, &expected, WEFT_COROUTINE_RUNNING))
        return expected == WEFT_COROUTINE_DEAD ? -EINVAL : -EBUSY;
    struct weft_coroutine *resumer = *running_place();
    if (resumer)
        resumer->status = WEFT_COROUTINE_NORMAL;
    coroutine->resumer = resumer;
    coroutine->value = value_in;
    coroutine->context.fs_base = coroutine->resumer_context.fs_base = weft_fs_base();
    *running_place() = coroutine;
    weft_switch(&coroutine->resumer_context, &coroutine->context, NULL, NULL);
    *running_place() = resumer;
    if (resumer)
        resumer->status = WEFT_COROUTINE_RUNNING;
    if (value_out)
        *value_out = coroutine->value;
    return 0;
}

EXPORTED void *weft_coroutine_yield(void *value_out)
{
    struct weft_coroutine *self = *running_place();
    if (!self)
        return NULL;
    self->value = value_out;
    weft_switch(&self->context, &self->resumer_context, mark_suspended, self);
    return self->value;
}

EXPORTED enum weft_coroutine_status weft_coroutine_status(const struct weft_coroutine *coroutine)
{
    return coroutine->status;
}

EXPORTED struct weft_coroutine *weft_coroutine_running(void)
{
    return *running_place();
}

EXPORTED int weft_coroutine_close(struct weft_coroutine *coroutine)
{
    enum weft_coroutine_status status = coroutine->status;
    if (status != WEFT_COROUTINE_SUSPENDED && status != WEFT_COROUTINE_DEAD)
        return -EBUSY;
    weft_pages_unmap(coroutine->pages, coroutine->size);
    return 0;
}
