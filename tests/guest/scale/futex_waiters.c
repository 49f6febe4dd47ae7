// SPDX-License-Identifier: MIT
// Claims: of many threads that wait for futexes, a wake reaches exactly the one it is meant for, whether all
// wait for different words or for one; and two threads that use a word of their own are not slowed down by
// strangers. All that wait for one word are woken in the order of their coming.
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include "scale.h"

#define ROUNDS 2000

static long count, parked, ended;
static uint32_t *words; // of the waiters: one each, or the first for all
static uint32_t pair[2];
static bool one_word;

static long futex(uint32_t *word, int operation, uint32_t value)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void wait_while(uint32_t *word, uint32_t value)
{
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value)
        futex(word, FUTEX_WAIT, value);
}

static void *waiter(void *argument)
{
    long index = (long)(intptr_t)argument;

    __atomic_fetch_add(&parked, 1, __ATOMIC_SEQ_CST);
    if (one_word)
        CHECK_EQUAL(futex(words, FUTEX_WAIT, 0), 0);
    else
        wait_while(&words[index], 0);
    return (void *)(intptr_t)__atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
}

static void *partner(void *argument)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        wait_while(&pair[0], i);
        __atomic_store_n(&pair[1], i + 1, __ATOMIC_SEQ_CST);
        futex(&pair[1], FUTEX_WAKE, 1);
    }
    return argument;
}

static void measure_pair(const char *when)
{
    memset(pair, 0, sizeof(pair));
    pthread_t thread = guest_start(partner, NULL);
    int64_t cpu = scale_cpu();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        __atomic_store_n(&pair[0], i + 1, __ATOMIC_SEQ_CST);
        futex(&pair[0], FUTEX_WAKE, 1);
        wait_while(&pair[1], i);
    }
    cpu = scale_cpu() - cpu;
    guest_join(thread);
    scale_figure("a pair's hand-over %s: %.0f ns\n", when, (double)cpu / ROUNDS / 2);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// With all waiters parked: wakes one by one. The figure is the median of batches, for in some of them the
// woken ran, too.
static void wake_all(void)
{
    long batch = count < 1000 ? count : 100, batches = count / batch;
    double *figures = (double *)calloc((size_t)batches, sizeof(*figures));

    CHECK(figures != NULL);
    for (long i = 0; i < count;) {
        int64_t cpu = scale_cpu();
        for (long last = i + batch; i < last && i < count; i++) {
            uint32_t *word = one_word ? words : &words[i];
            if (!one_word)
                __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
            // One that has announced itself may not have got into the kernel yet.
            while (futex(word, FUTEX_WAKE, 1) == 0 && one_word)
                sched_yield();
        }
        if (i % batch == 0)
            figures[i / batch - 1] = (double)(scale_cpu() - cpu) / (double)batch;
    }
    qsort(figures, (size_t)batches, sizeof(*figures), compare);
    scale_figure("a wake: %.0f ns\n", figures[batches / 2]);
    free(figures);
}

static void run(const char *name, bool one)
{
    pthread_t *threads = (pthread_t *)calloc((size_t)count, sizeof(*threads));
    long disorder = 0;

    one_word = one;
    parked = ended = 0;
    memset(words, 0, (size_t)count * sizeof(*words));
    scale_figure("-- %s\n", name);
    measure_pair("alone");
    for (long i = 0; i < count; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, waiter, (void *)i), 0);
    while (__atomic_load_n(&parked, __ATOMIC_SEQ_CST) < count)
        sched_yield();
    measure_pair("among all");
    wake_all();
    for (long i = 0; i < count; i++)
        disorder += (intptr_t)guest_join(threads[i]) != i;
    scale_figure("ended out of order: %ld\n", disorder);
    CHECK_EQUAL(ended, count);
    printf("%s: %ld woken\n", name, ended);
    free(threads);
}

int main(int argc, char **argv)
{
    count = scale_arguments(argc, argv);
    words = (uint32_t *)calloc((size_t)count, sizeof(*words));
    CHECK(words != NULL);
    run("a word each", false);
    run("one word", true);
    return guest_success();
}
