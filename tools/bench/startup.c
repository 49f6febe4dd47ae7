// SPDX-License-Identifier: MIT
/*
 * startup: how long a short program lives, from posix_spawn to the end of waitpid, without and with a
 * preloaded library in turn.
 *
 *     startup LIBRARY|- COUNT PROGRAM [ARGUMENT...]
 *
 * Prints the median in ns of COUNT lives each: without, and (when LIBRARY is not -) with the library.
 */
#include "bench.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static uint64_t live(char **argv, char **environment)
{
    uint64_t began = bench_now();
    pid_t child;
    int status;

    bench_check(posix_spawn(&child, argv[0], NULL, NULL, argv, environment), argv[0]);
    if (waitpid(child, &status, 0) != child)
        bench_check(errno, "waitpid");
    began = bench_now() - began;
    if (status != 0) {
        fprintf(stderr, "startup: %s ended with status %#x\n", argv[0], (unsigned)status);
        exit(1);
    }
    return began;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static double median(uint64_t *lives, size_t count)
{
    qsort(lives, count, sizeof *lives, compare);
    return (double)(lives[(count - 1) / 2] + lives[count / 2]) / 2;
}

/* The environment with LD_PRELOAD set to the library. */
static char **preload(const char *library)
{
    size_t count = 0;
    char **environment;

    while (environ[count] != NULL)
        count++;
    environment = calloc(count + 2, sizeof *environment);
    if (environment == NULL || asprintf(&environment[0], "LD_PRELOAD=%s", library) < 0)
        bench_check(ENOMEM, "startup");
    memcpy(environment + 1, environ, count * sizeof *environ);
    return environment;
}

int main(int argc, char **argv)
{
    size_t count = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
    uint64_t *lives[2];
    char **with = NULL;

    if (count == 0) {
        fprintf(stderr, "usage: startup LIBRARY|- COUNT PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    unsetenv("LD_PRELOAD");
    if (strcmp(argv[1], "-") != 0)
        with = preload(argv[1]);
    for (int i = 0; i < 2; i++) {
        lives[i] = calloc(count, sizeof **lives);
        if (lives[i] == NULL)
            bench_check(ENOMEM, "startup");
    }
    for (size_t i = 0; i < count; i++) {
        lives[0][i] = live(argv + 3, environ);
        if (with != NULL)
            lives[1][i] = live(argv + 3, with);
    }
    printf("%.0f", median(lives[0], count));
    if (with != NULL)
        printf(" %.0f", median(lives[1], count));
    printf("\n");
    return 0;
}
