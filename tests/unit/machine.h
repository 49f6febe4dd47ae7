/* SPDX-License-Identifier: MIT */
/*
 * The machine in a test process: its main thread is the main coroutine, others are made without pthreads.
 *
 * A task is a coroutine with a stack and a thread block of its own. Its block is zeroed room for __thread
 * variables, as a carrier's, so a task calls nothing of libc that needs more: only weft's functions, raw
 * system calls, and `require`, because a failing assertion of cmocka would jump to the main coroutine's
 * stack.
 */
#ifndef WEFT_UNIT_MACHINE_H
#define WEFT_UNIT_MACHINE_H

#include "unit.h"

#include <stdbool.h>

#include "../../core/carrier.h"
#include "../../core/futex.h"
#include "../../core/global.h"
#include "../../core/loop.h"
#include "../../core/machine.h"
#include "../../core/monitor.h"
#include "../../core/park.h"
#include "../../core/raw.h"
#include "../../core/visit.h"
#include "../../hooks/wait.h"

struct task {
    struct coroutine *coroutine;
    void (*function)(void *argument);
    void *argument;
    uint32_t ended; /* a futex word: 1 when its stack is no longer used */
    char *pages;
};

/* Ends the process unless `condition` holds. For any stack and kernel thread. */
#define require(condition)                                       \
    do {                                                         \
        if (!(condition))                                        \
            task_require_failed(#condition, __FILE__, __LINE__); \
    } while (0)
_Noreturn void task_require_failed(const char *text, const char *file, int line);

/* A coroutine that will call function(argument); not yet ready. */
void task_prepare(struct task *task, void (*function)(void *), void *argument);

/* The same, ready: behind what is queued on the caller's processor. */
void task_start(struct task *task, void (*function)(void *), void *argument);

/* Waits until the task has ended, and releases its memory. */
void task_join(struct task *task);

/* Ends the running task, as returning from its function does. */
_Noreturn void task_end(void);

/* Yields until *word is `value` (for at most some seconds). Returns whether it is. */
bool task_yield_until(const uint32_t *word, uint32_t value);

/* Waits until *word is set, without entering core; false after 10 s. */
bool task_becomes_set(uint32_t *word);

/* Lets time pass on the caller's processor without parking it for good. */
void task_sleep(int64_t nanoseconds);

/* Moves the caller to the processor of that number. (Who joins a task goes on where it ended.) */
void machine_go_to(unsigned index);

/* For cmocka: the group's setup (weft_machine_start(1)), and each test's teardown, on the first processor,
 * where the next test begins: all its invariants hold, and nobody is queued, timed or watching any more. */
int machine_setup(void **state);
int machine_teardown(void **state);

/* The same, with `count` processors that all have carriers. */
int machine_setup_many(unsigned count);

#define machine_test(function) cmocka_unit_test_teardown(function, machine_teardown)

#endif
