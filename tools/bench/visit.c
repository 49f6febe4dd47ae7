// SPDX-License-Identifier: MIT
/*
 * visit: what caches and TLB cost when one comes to many stacks in turn, without any switch; as a table.
 *
 *     visit [COUNT...]
 *
 * As a yield of each of COUNT threads in turn does, a visit touches lines of an object (weft's of a thread:
 * one to be found by, one to be counted in), and through a pointer in it lines of a stack: one in its
 * uppermost page, where thread-local variables lie, nine where the frames of the call and the saved registers
 * do. What is known of the next visit is the link in the object. Visits do not overlap (lfence), for a write
 * of the FS base and the reading of MXCSR let nothing pass either; what they cost when the CPU may overlap
 * them is shown beside it.
 *
 * `apart`: stacks as they are, 8 MiB and a page from each other, so that each has a page table of its own.
 * `packed`: the same lines of all stacks one behind the other, in huge pages if the kernel gives them: the
 * difference is what page tables and TLB cost, and that the CPU guesses which line comes next.
 * `scattered`: packed, but visited in random order: without that guess.
 */
#include <errno.h>
#include <immintrin.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "bench.h"

enum { LINE = 64, PAGE = 4096, FRAMES = 9, LINES = FRAMES + 1, OBJECT = 448 };

#define APART ((size_t)(8 << 20) + PAGE)

struct object {
    struct object *next;
    char *frames, *local;
    uint64_t state;
    char rest[300 - 4 * sizeof(uint64_t)];
    uint64_t visits;
};

_Static_assert(sizeof(struct object) <= OBJECT, "OBJECT");

static char *map(size_t size, int advice)
{
    char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    bench_check(memory == MAP_FAILED ? errno : 0, "mmap");
    madvise(memory, size, advice);
    return memory;
}

static inline void visit(struct object *object)
{
    object->state++;
    object->visits++;
    *(volatile uint64_t *)object->local += 1;
    for (int i = 0; i < FRAMES; i++)
        *(volatile uint64_t *)(object->frames + i * LINE) += 1;
}

static double measure(struct object *first, long count, bool overlap)
{
    double best = 1e9;

    for (int round = 0; round < 5; round++) {
        long visits = 0, target = count < 200000 ? 400000 : 2 * count;
        uint64_t began = bench_now();

        for (struct object *object = first; visits < target; object = object->next, visits++) {
            visit(object);
            if (!overlap)
                _mm_lfence();
        }
        double each = (double)(bench_now() - began) / (double)visits;
        best = each < best ? each : best;
    }
    return best;
}

enum order { APART_IN_TURN, PACKED_IN_TURN, PACKED_SCATTERED };

/* Prints both figures of one placement. */
static void place(long count, enum order order)
{
    bool apart = order == APART_IN_TURN;
    size_t stacks = (size_t)count * (apart ? APART : LINES * LINE), objects = (size_t)count * OBJECT;
    char *stack = map(stacks, apart ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    char *object = map(objects, apart ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    long *next = malloc((size_t)count * sizeof *next);

    bench_check(next ? 0 : ENOMEM, "malloc");
    for (long i = 0; i < count; i++)
        next[i] = (i + 1) % count;
    if (order == PACKED_SCATTERED) /* one cycle through all: Sattolo's shuffle of the identity */
        for (long i = 0; i < count; i++)
            next[i] = i;
    srand(1);
    for (long i = count - 1; order == PACKED_SCATTERED && i > 0; i--) {
        long other = (long)((((uint64_t)rand() << 31) | (uint64_t)rand()) % (uint64_t)i), kept = next[i];

        next[i] = next[other];
        next[other] = kept;
    }
    for (long i = 0; i < count; i++) {
        struct object *this = (struct object *)(object + i * OBJECT);

        this->next = (struct object *)(object + next[i] * OBJECT);
        if (apart) {
            this->local = stack + (size_t)(i + 1) * APART - 2000;
            this->frames = stack + (size_t)(i + 1) * APART - PAGE - FRAMES * LINE;
        } else {
            this->frames = stack + (size_t)i * LINES * LINE;
            this->local = this->frames + FRAMES * LINE;
        }
    }
    free(next);
    printf(" %.0f | %.0f |", measure((struct object *)object, count, false),
           measure((struct object *)object, count, true));
    munmap(stack, stacks);
    munmap(object, objects);
}

int main(int argc, char **argv)
{
    static const char *const counts[] = {"10", "100", "1000", "10000", "100000", "1000000"};
    int many = argc > 1 ? argc - 1 : (int)(sizeof counts / sizeof *counts);

    puts("| stacks | apart, ns | overlapped | packed, ns | overlapped | scattered, ns | overlapped |\n"
         "|---|---|---|---|---|---|---|");
    for (int i = 0; i < many; i++) {
        char *end;
        long count = strtol(argc > 1 ? argv[i + 1] : counts[i], &end, 10);

        if (count < 1 || *end) {
            fprintf(stderr, "usage: %s [COUNT...]\n", argv[0]);
            return 2;
        }
        printf("| %ld |", count);
        for (enum order order = APART_IN_TURN; order <= PACKED_SCATTERED; order++)
            place(count, order);
        puts("");
        fflush(stdout);
    }
    return 0;
}
