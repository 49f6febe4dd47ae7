// SPDX-License-Identifier: MIT
/*
 * floor: what a switch between threads cannot do without, as a table: a switch of two stacks to which one
 * part more is added at a time, the whole without one part, and single instructions. The lowest of 20 runs of
 * a millisecond or so; ns for each switch. It measures the machine, and needs no weft.
 *
 *     floor [RUNS]
 */
#include <errno.h>
#include <sys/auxv.h>

#include "bench.h"

#ifndef HWCAP2_FSGSBASE
#define HWCAP2_FSGSBASE (1 << 1)
#endif

extern char *floor_top;
extern uintptr_t floor_bases[2];

#define LADDERS(each)                                                                     \
    each(bare, "six registers and the stack pointer") each(fs, "and the FS base")         \
        each(fs_fp, "and MXCSR, the x87 control word and its exception flags")            \
            each(fs_fp_vectors, "and xmm0 to xmm15")                                      \
                each(fs_fp_vectors_atomic, "and one atomic operation, for the processor") \
                    each(all, "and the entry: a thread-local word, thirteen registers")   \
                        each(all_but_fs, "all but the FS base")                           \
                            each(all_but_fp, "all but MXCSR and the x87")                 \
                                each(all_but_vectors, "all but xmm0 to xmm15")            \
                                    each(all_but_atomic, "all but the atomic operation")

#define INSTRUCTIONS(each)                                                                       \
    each(wrfsbase, "wrfsbase") each(stmxcsr, "stmxcsr") each(ldmxcsr, "ldmxcsr, the same value") \
        each(fnstsw, "fnstsw") each(fnstcw, "fnstcw") each(fldcw, "fldcw, the same value")       \
            each(cmpxchg, "lock cmpxchg, its line in the cache") each(xchg, "xchg, the same")    \
                each(rdtsc, "rdtsc")

#define DECLARE(name, text) void floor_##name(uint64_t count);
LADDERS(DECLARE)
INSTRUCTIONS(DECLARE)

#define ROW(name, text) {floor_##name, text},
static const struct row {
    void (*run)(uint64_t count);
    const char *text;
} ladders[] = {LADDERS(ROW)}, instructions[] = {INSTRUCTIONS(ROW)};

static void show(const struct row *row, uint64_t count, double each, int runs)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < runs; i++) {
        uint64_t began = bench_now();

        row->run(count);
        uint64_t elapsed = bench_now() - began;
        if (elapsed < best)
            best = elapsed;
    }
    printf("| %s | %.1f |\n", row->text, (double)best / (double)count / each);
}

int main(int argc, char **argv)
{
    enum { STACK = 64 << 10, COUNT = 50000 };
    int runs = argc == 2 ? atoi(argv[1]) : 20;

    if (argc > 2 || runs < 1) {
        fprintf(stderr, "usage: %s [RUNS]\n", argv[0]);
        return 2;
    }
    if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE)) {
        puts("this kernel lets no program write its FS base");
        return 77;
    }
    char *stack = aligned_alloc(4096, STACK);
    bench_check(stack ? 0 : ENOMEM, "aligned_alloc");
    floor_top = stack + STACK - 64;
    floor_bases[0] = (uintptr_t)pthread_self(); /* by glibc */
    floor_bases[1] = floor_bases[0] + 64;       /* another value; what stands there is only looked at */
    puts("| a switch saves and loads | ns |\n|---|---|");
    for (size_t i = 0; i < sizeof ladders / sizeof *ladders; i++)
        show(&ladders[i], COUNT, 2, runs);
    puts("\n| instruction | ns |\n|---|---|");
    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++)
        show(&instructions[i], 2 * COUNT, 1, runs);
    return 0;
}
