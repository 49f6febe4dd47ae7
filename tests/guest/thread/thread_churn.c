// SPDX-License-Identifier: MIT
// Claims: stacks and descriptors that are used again and again start fresh every time: initial thread-local
// data, no thread-specific data, default name and errno.
#include "guest.h"

#define THREADS 2000

static __thread int counter = 7;
static __thread char zeroed[4096];
static pthread_key_t key;

static void *body(void *index)
{
    CHECK_EQUAL(counter, 7);
    CHECK_EQUAL(errno, 0);
    CHECK(pthread_getspecific(key) == NULL);
    for (size_t i = 0; i < sizeof(zeroed); i++)
        CHECK_EQUAL(zeroed[i], 0);

    counter += 1 + (int)(intptr_t)index;
    errno = EILSEQ;
    memset(zeroed, 0xee, sizeof(zeroed));
    CHECK_EQUAL(pthread_setspecific(key, &zeroed), 0);
    return (void *)(intptr_t)(counter & 1);
}

int main(void)
{
    intptr_t odd = 0;

    CHECK_EQUAL(pthread_key_create(&key, NULL), 0);
    for (intptr_t i = 0; i < THREADS; i++)
        odd += (intptr_t)guest_join(guest_start(body, (void *)i));
    printf("odd counters: %ld\n", (long)odd);
    CHECK_EQUAL(counter, 7);
    return guest_success();
}
