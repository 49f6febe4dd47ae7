// SPDX-License-Identifier: MIT
// Claims: main leaves by pthread_exit; of a chain of detached threads, each starts the next and ends. The end
// of the last one ends the process with status 0 after its destructors of thread-specific data and the
// handlers of atexit.
#include "guest.h"

#define CHAIN 50

static pthread_key_t key;
static int destroyed;

static void start(intptr_t number);

static void at_exit(void)
{
    printf("destroyed: %d\n", destroyed);
    guest_success();
}

static void destroy(void *value)
{
    CHECK(value != NULL);
    destroyed++; // one thread at a time sets the key: each starts the next one here, as its last act
    intptr_t next = (intptr_t)value + 1;
    if (next > CHAIN)
        return;
    start(next);
}

static void *body(void *number)
{
    CHECK_EQUAL(pthread_setspecific(key, number), 0);
    return NULL;
}

static void start(intptr_t number)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED), 0);
    CHECK_EQUAL(pthread_create(&thread, &attributes, body, (void *)number), 0);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
}

int main(void)
{
    CHECK_EQUAL(atexit(at_exit), 0);
    CHECK_EQUAL(pthread_key_create(&key, destroy), 0);
    start(1);
    pthread_exit(NULL);
}
