// SPDX-License-Identifier: MIT
// Claims: dlclose waits until the lookups of other threads that have begun before it are done. One thread
// opens a library again and again and makes its calls, which are bound lazily; another one opens and closes a
// small one meanwhile. Arguments: the two libraries.
#include <dlfcn.h>
#include "guest.h"

#define ROUNDS 200

static char **libraries;
static int ended;

static void *bind(void *argument)
{
    for (int round = 0; round < ROUNDS; round++) {
        void *handle = dlopen(libraries[1], RTLD_LAZY | RTLD_LOCAL);
        CHECK(handle != NULL);
        int (*call)(void) = (int (*)(void))dlsym(handle, "call_all");
        CHECK(call != NULL);
        CHECK_EQUAL(call(), 1000);
        CHECK_EQUAL(dlclose(handle), 0);
    }
    __atomic_store_n(&ended, 1, __ATOMIC_SEQ_CST);
    return argument;
}

static void *open_and_close(void *argument)
{
    while (!__atomic_load_n(&ended, __ATOMIC_SEQ_CST)) {
        void *handle = dlopen(libraries[2], RTLD_LAZY | RTLD_GLOBAL);
        CHECK(handle != NULL);
        CHECK_EQUAL(dlclose(handle), 0);
    }
    return argument;
}

int main(int count, char **arguments)
{
    CHECK_EQUAL(count, 3);
    libraries = arguments;
    pthread_t binding = guest_start(bind, NULL), closing = guest_start(open_and_close, NULL);
    guest_join(binding);
    guest_join(closing);
    return guest_success();
}
