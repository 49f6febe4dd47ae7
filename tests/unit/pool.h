/* SPDX-License-Identifier: MIT */
/* What the tests of the pool of stacks share. */
#ifndef WEFT_UNIT_POOL_H
#define WEFT_UNIT_POOL_H

#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../core/stack.h"

enum { KIB = 1024, MIB = 1024 * KIB, SIZE = 8 * MIB + 4 * KIB, MANY = 1000 };

static inline struct weft_stack take(size_t size)
{
    char *low = weft_stack_take(size);
    if (!low)
        return (struct weft_stack){0};
    struct weft_stack stack = weft_stack_around(low);
    if (stack.low != low || stack.size != size)
        fail_msg("%p of %zu bytes is not the stack around it", (void *)low, size);
    return stack;
}

static inline int teardown(void **state)
{
    (void)state;
    weft_stacks_verify();
    return weft_stacks_count().live == 0 ? 0 : -1;
}

/* Whether a byte can be written; a pipe's read says so without a signal. */
static inline bool writable(char *byte)
{
    int ends[2];
    char zero = 0;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], &zero, 1), 1);
    bool can = read(ends[0], byte, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return can;
}

static inline size_t resident(const struct weft_stack *stack)
{
    size_t pages = stack->size / 4096, count = 0;
    unsigned char *there = malloc(pages);
    assert_int_equal(mincore(stack->low, stack->size, there), 0);
    for (size_t i = 0; i < pages; i++)
        count += there[i] & 1;
    free(there);
    return count;
}

static inline size_t mappings(void)
{
    size_t lines = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    for (int c; (c = getc(maps)) != EOF;)
        lines += c == '\n';
    fclose(maps);
    return lines;
}

static inline int in_child(int (*function)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
        signal(SIGABRT, SIG_DFL);
        _exit(function());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

#define stack_test(function) cmocka_unit_test_teardown(function, teardown)

#endif
