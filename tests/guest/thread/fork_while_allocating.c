// SPDX-License-Identifier: MIT
// Claims: fork leaves malloc and stdio usable in the child, although other threads are inside them all the
// time.
#include <sys/wait.h>
#include "guest.h"

#define THREADS 4
#define FORKS   15

static int stop;
static FILE *sink;

static void *churn(void *index)
{
    for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
        char *block = (char *)malloc(1 + i * 37 % 5000);
        CHECK(block != NULL);
        fprintf(sink, "%p\n", (void *)block);
        free(block);
    }
    return index;
}

static void *use(void *index)
{
    for (unsigned i = 1; i < 100; i++) {
        char *block = (char *)malloc(i * 100);
        CHECK(block != NULL);
        memset(block, 1, i * 100);
        CHECK(fprintf(sink, "%d\n", block[i]) > 0);
        free(block);
    }
    return index;
}

int main(void)
{
    pthread_t threads[THREADS];
    int status;

    sink = fopen("/dev/null", "w");
    CHECK(sink != NULL);
    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(churn, NULL);
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            use(NULL);
            guest_threads(2, use);
            _exit(0);
        }
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    return guest_success();
}
