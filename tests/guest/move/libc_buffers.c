// SPDX-License-Identifier: MIT
// What libc keeps for each thread is the thread's own after stops: the buffers of strerror and dlerror, the
// state of the resolver, the id, the name, thread-specific data and its destructors.
#include "move.h"
#include <stdatomic.h>
#include <dlfcn.h>
#include <netdb.h>
#include <resolv.h>

static pthread_key_t key;
static atomic_int destroyed;

static void destroy(void *value)
{
    struct mover mover = mover_begin((int)(intptr_t)value);
    CHECK(pthread_getspecific(key) == NULL);
    CHECK_EQUAL(pthread_setspecific(key, &mover), 0);
    move(&mover);
    CHECK(pthread_getspecific(key) == &mover);
    CHECK_EQUAL(pthread_setspecific(key, NULL), 0);
    mover_end(&mover);
    atomic_fetch_add(&destroyed, 1);
}

static void *body(void *index)
{
    struct mover mover = mover_begin((int)(intptr_t)index);
    short number = (short)(5000 + (int)(intptr_t)index);
    char unknown[40], missing[40], name[16], seen[16];
    struct __res_state *resolver = &_res;
    pid_t id = gettid();
    snprintf(unknown, sizeof unknown, "Unknown error %d", number);
    snprintf(missing, sizeof missing, "missing-%d.so", number);
    snprintf(name, sizeof name, "mover %d", number);
    CHECK_EQUAL(pthread_setname_np(pthread_self(), name), 0);
    CHECK_EQUAL(pthread_setspecific(key, (void *)(intptr_t)number), 0);
    for (int i = 0; i < MOVE_ROUNDS / 3; i++) {
        const char *text = strerror(number);
        move(&mover);
        // Before glibc 2.32 all threads share the buffer of strerror.
        CHECK(strcmp(text, unknown) == 0 || !__GLIBC_PREREQ(2, 32));
        CHECK(dlopen(missing, RTLD_NOW) == NULL);
        h_errno = number;
        move(&mover);
        text = dlerror();
        CHECK(text && strstr(text, missing));
        CHECK(h_errno == number && resolver == &_res);
        CHECK_EQUAL(gettid(), id);
        CHECK_EQUAL(pthread_getname_np(pthread_self(), seen, sizeof seen), 0);
        CHECK(strcmp(seen, name) == 0);
        CHECK_EQUAL((intptr_t)pthread_getspecific(key), number);
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    CHECK_EQUAL(pthread_key_create(&key, destroy), 0);
    guest_threads(MOVE_THREADS, body);
    CHECK_EQUAL(atomic_load(&destroyed), MOVE_THREADS);
    puts("every thread kept its own");
    return move_success();
}
