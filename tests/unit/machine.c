/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../core/log.h"
#include "../../core/signal.h"
#include "../../core/slab.h"
#include "../../core/timer.h"

/*
 *     ┌──────────────┬─────────────────────────┬──────────────────┬───────────────┐
 *     │ guard page   │ stack ◄── grows down    │ __thread, zeroed │ thread header │
 *     └──────────────┴─────────────────────────┴──────────────────┴───────────────┘
 *                                                                 ▲ fs_base
 */
enum { GUARD = 4096, STACK = 64 * 1024, THREAD_ROOM = 16 * 1024, HEADER = 4096 };
enum { SIZE = GUARD + STACK + THREAD_ROOM + HEADER };

void task_require_failed(const char *text, const char *file, int line)
{
    struct weft_line message = {0};
    weft_line_text(&message, "not true: ");
    weft_line_text(&message, text);
    weft_line_text(&message, " (");
    weft_line_text(&message, file);
    weft_line_text(&message, ":");
    weft_line_number(&message, line);
    weft_line_text(&message, ")\n");
    weft_line_write(&message, 2);
    for (;;)
        weft_raw1(SYS_exit_group, 1);
}

static __thread struct task *task_current __attribute__((tls_model("initial-exec")));

/* On the next stack, in core. */
static void finish(void *argument)
{
    struct task *task = argument;
    struct processor *here = task->coroutine->carrier->processor;
    weft_coroutine_give(NULL, task->coroutine);
    __atomic_store_n(&task->ended, 1, __ATOMIC_SEQ_CST);
    weft_futex_wake_in_core(here, &task->ended, INT32_MAX, WEFT_FUTEX_ANY);
}

/* Out of line: the thread block may be another one after a switch. */
static __attribute__((noinline)) struct task *current(void)
{
    return task_current;
}

void task_end(void)
{
    struct task *task = current();
    require(weft_current == task->coroutine);
    weft_core_enter(task->coroutine);
    weft_end(task->coroutine, finish, task);
}

/* It was dispatched in core, as all are. */
static void begin(void *argument)
{
    struct task *task = argument;
    task_current = task;
    weft_core_leave(task->coroutine);
    task->function(task->argument);
    task_end();
}

void task_prepare(struct task *task, void (*function)(void *), void *argument)
{
    *task = (struct task){.function = function, .argument = argument};
    task->pages = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    task->coroutine = weft_coroutine_take(NULL, 0);
    if (task->pages == MAP_FAILED || !task->coroutine)
        fail_msg("no memory for a task");
    mprotect(task->pages, GUARD, PROT_NONE);
    char *block = task->pages + SIZE - HEADER;
    memcpy(block, (void *)weft_fs_base(), 64); /* the stack protector's canary stands in the first words */
    ((char **)block)[0] = ((char **)block)[2] = block;
    weft_context_prepare(&task->coroutine->context, block - THREAD_ROOM, (uintptr_t)block, begin, task);
    weft_coroutine_bind(task->coroutine, (uintptr_t)block);
    task->coroutine->state = WEFT_PARKED; /* for weft_ready: nobody else knows it */
}

void task_start(struct task *task, void (*function)(void *), void *argument)
{
    task_prepare(task, function, argument);
    struct processor *here = weft_core_enter(weft_current);
    weft_ready(here, task->coroutine, 0);
    weft_core_leave(weft_current);
}

void task_join(struct task *task)
{
    while (__atomic_load_n(&task->ended, __ATOMIC_SEQ_CST) == 0)
        weft_futex_wait(weft_current, &task->ended, 0, WEFT_FUTEX_ANY, WEFT_NEVER, WEFT_REASON_JOIN);
    munmap(task->pages, SIZE);
}

bool task_yield_until(const uint32_t *word, uint32_t value)
{
    int64_t limit = weft_now() + INT64_C(5000000000);
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
        if (weft_now() > limit)
            return false;
        weft_yield(weft_current);
    }
    return true;
}

void task_sleep(int64_t nanoseconds)
{
    uint32_t nobody = 0;
    long result = weft_futex_wait(weft_current, &nobody, 0, WEFT_FUTEX_ANY, weft_now() + nanoseconds,
                                  WEFT_REASON_SLEEP);
    require(result == -ETIMEDOUT);
}

static void ignore_kick(int number)
{
    (void)number;
}

/* glibc's sigaction refuses the kick's number; what it tells the kernel of another signal serves. */
static bool catch_kicks(void)
{
    unsigned long action[4]; /* handler, flags, restorer, mask */
    return signal(SIGUSR1, ignore_kick) != SIG_ERR &&
           weft_raw4(SYS_rt_sigaction, SIGUSR1, 0, (long)action, 8) == 0 &&
           weft_raw4(SYS_rt_sigaction, WEFT_SIGNAL_KICK, (long)action, 0, 8) == 0;
}

int machine_setup_many(unsigned count)
{
    if (!catch_kicks() || weft_machine_start(count) != 0)
        return -1;
    for (unsigned i = 1; i < count; i++)
        if (!weft_processor_wake(&weft_processors[i]))
            return -1;
    return 0;
}

int machine_setup(void **state)
{
    (void)state;
    return machine_setup_many(1);
}

void machine_go_to(unsigned index)
{
    while (weft_core_enter(weft_current) != &weft_processors[index]) {
        weft_migrate(weft_current, &weft_processors[index]);
        weft_core_leave(weft_current);
    }
    weft_core_leave(weft_current);
}

int machine_teardown(void **state)
{
    (void)state;
    machine_go_to(0);
    struct processor *processor = weft_core_enter(weft_current);
    weft_processor_verify(processor);
    size_t queued = processor->queue.length + (processor->run_next != NULL);
    size_t timed = processor->timers.count, watching = weft_loop_watching(processor->loop);
    weft_core_leave(weft_current);
    assert_int_equal(queued, 0);
    assert_int_equal(timed, 0);
    assert_int_equal(watching, 0);
    assert_true(weft_global_empty());
    return 0;
}

bool task_becomes_set(uint32_t *word)
{
    int64_t limit = weft_now() + INT64_C(10000000000);
    while (!__atomic_load_n(word, __ATOMIC_SEQ_CST))
        if (weft_now() > limit)
            return false;
    return true;
}
