// SPDX-License-Identifier: MIT
// Claims: pthread_getattr_np reports the stack that a thread really has: it contains the thread's locals, is
// as large as was asked for, and its guard size and detach state are those of the attributes; so for main,
// too.
#include "guest.h"

static void check_contains(const pthread_attr_t *attributes, const void *local, size_t at_least)
{
    void *low;
    size_t size;
    CHECK_EQUAL(pthread_attr_getstack(attributes, &low, &size), 0);
    CHECK((const char *)local > (char *)low && (const char *)local < (char *)low + size);
    CHECK(size >= at_least);
    // What lies below the local is the thread's to use: touch half of it, if that is not too much.
    CHECK((size_t)((const char *)local - (char *)low) >= at_least / 2);
}

struct wish {
    size_t size, guard;
};

static void *body(void *argument)
{
    const struct wish *wish = (const struct wish *)argument;
    pthread_attr_t attributes;
    size_t size, guard;
    int state;

    CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
    check_contains(&attributes, &state, wish->size);
    CHECK_EQUAL(pthread_attr_getstacksize(&attributes, &size), 0);
    CHECK_EQUAL(pthread_attr_getguardsize(&attributes, &guard), 0);
    CHECK_EQUAL(pthread_attr_getdetachstate(&attributes, &state), 0);
    CHECK(size == wish->size || size == wish->size + 4096); // the latter before glibc 2.34
    CHECK_EQUAL(guard, wish->guard);
    CHECK_EQUAL(state, PTHREAD_CREATE_JOINABLE);
    printf("size %zu, guard %zu\n", size, guard);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
    return NULL;
}

int main(void)
{
    static const struct wish wishes[] = {
        {64 << 10, 4096}, {256 << 10, 0}, {1 << 20, 16384}, {8 << 20, 4096}, {64 << 20, 1 << 20}};
    pthread_attr_t attributes;
    pthread_t thread;
    int local;

    for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
        CHECK_EQUAL(pthread_attr_init(&attributes), 0);
        CHECK_EQUAL(pthread_attr_setstacksize(&attributes, wishes[i].size), 0);
        CHECK_EQUAL(pthread_attr_setguardsize(&attributes, wishes[i].guard), 0);
        CHECK_EQUAL(pthread_create(&thread, &attributes, body, (void *)&wishes[i]), 0);
        guest_join(thread);
    }
    CHECK_EQUAL(pthread_getattr_np(pthread_self(), &attributes), 0);
    check_contains(&attributes, &local, 64 << 10);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
    return guest_success();
}
