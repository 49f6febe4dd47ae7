// SPDX-License-Identifier: MIT
// Claims: the thread-local variables of a library that is loaded while threads exist have their initial
// values in the old threads and in the new ones, each its own, across blocking. Arguments: a library with
// dynamic TLS, one with static TLS.
#include <dlfcn.h>
#include <sched.h>
#include "guest.h"

#define THREADS 8 // in each generation

static pthread_barrier_t loaded, meeting;
static int *(*address)(void);
static char *(*zero_address)(void);

static void use(int mine)
{
    int *variable = address();
    char *zero = zero_address();
    CHECK_EQUAL(*variable, 77);
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(zero[i], 0);
    for (int i = 0; i < 10; i++) {
        *variable = mine + i;
        memset(zero, mine, 100);
        pthread_barrier_wait(&meeting);
        sched_yield();
        CHECK(address() == variable && zero_address() == zero);
        CHECK_EQUAL(*variable, mine + i);
        CHECK_EQUAL(zero[99], mine);
    }
}

static void *old_thread(void *index)
{
    pthread_barrier_wait(&loaded);
    use(1 + (int)(intptr_t)index);
    return NULL;
}

static void *new_thread(void *index)
{
    use(101 + (int)(intptr_t)index);
    return NULL;
}

int main(int count, char **arguments)
{
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(pthread_barrier_init(&loaded, NULL, THREADS + 1), 0);
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, 2 * THREADS), 0);
    for (int i = 1; i < count; i++) {
        pthread_t threads[2 * THREADS];
        for (intptr_t t = 0; t < THREADS; t++)
            threads[t] = guest_start(old_thread, (void *)t);

        void *library = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL)
            puts(dlerror());
        CHECK(library != NULL);
        address = (int *(*)(void))dlsym(library, "library_address");
        zero_address = (char *(*)(void))dlsym(library, "library_zero_address");
        CHECK(address != NULL && zero_address != NULL);

        pthread_barrier_wait(&loaded);
        for (intptr_t t = 0; t < THREADS; t++)
            threads[THREADS + t] = guest_start(new_thread, (void *)t);
        for (int t = 0; t < 2 * THREADS; t++)
            guest_join(threads[t]);
        CHECK_EQUAL(*address(), 77);
        CHECK_EQUAL(dlclose(library), 0);
    }
    return guest_success();
}
