// SPDX-License-Identifier: MIT
// Threads with a state of their own end in all the ways in which threads end: two hundred one after the
// other, joined or detached, by pthread_exit, in a chain in which each has created the next and waits for it.
// What runs at a thread's end finds the thread's state; those who come later have none of it.
#include "state.h"
#include <semaphore.h>

enum { ONE_BY_ONE = 200, DETACHED = 40, AT_ONCE = 50, CHAIN = 40 };

struct one {
    int index;
    bool taken;
    struct tally tally;
};

static pthread_key_t key;
static sem_t over;

static void look_at_end(void *argument)
{
    struct one *one = argument;
    wander(1);
    TALLY(&one->tally, state_is(one->taken));
}

static void live(struct one *one)
{
    CHECK_EQUAL(pthread_setspecific(key, one), 0);
    TALLY(&one->tally, state_is(false));
    if (one->taken)
        state_take();
    TALLY(&one->tally, state_is(one->taken));
    wander(2);
    TALLY(&one->tally, state_is(one->taken));
}

static void *live_and_end(void *argument)
{
    struct one *one = argument;
    live(one);
    if (one->index % 3 == 0)
        pthread_exit(one);
    return one;
}

static void say_over(void *argument)
{
    look_at_end(argument);
    CHECK_EQUAL(sem_post(&over), 0);
}

static void *live_detached(void *argument)
{
    struct one *one = argument;
    if (one->index % 2)
        CHECK_EQUAL(pthread_detach(pthread_self()), 0);
    pthread_cleanup_push(say_over, one);
    live(one);
    pthread_cleanup_pop(1);
    CHECK_EQUAL(pthread_setspecific(key, NULL), 0);
    return NULL;
}

// Each inherits the state from the one in the middle on.
static void *be_link(void *argument)
{
    struct one *one = argument;
    TALLY(&one->tally, state_is(one->index > CHAIN / 2));
    if (one->index == CHAIN / 2)
        state_take();
    one->taken = one->index >= CHAIN / 2;
    wander(1);
    if (one->index + 1 < CHAIN) {
        struct one next = {.index = one->index + 1};
        pthread_t thread = guest_start(be_link, &next);
        TALLY(&one->tally, state_is(one->taken));
        wander(1);
        CHECK(guest_join(thread) == &next);
        tally_add(&one->tally, &next.tally);
    }
    TALLY(&one->tally, state_is(one->taken));
    return one;
}

static void one_by_one(void)
{
    struct tally sum = {0};
    for (int i = 0; i < ONE_BY_ONE; i++) {
        struct one one = {.index = i, .taken = i % 4 != 0};
        CHECK(guest_join(guest_start(live_and_end, &one)) == &one);
        TALLY(&one.tally, state_is(false));
        tally_add(&sum, &one.tally);
    }
    tally_print("one by one", &sum);
}

static void at_once(void)
{
    static struct one all[AT_ONCE];
    pthread_t threads[AT_ONCE];
    struct tally sum = {0};
    for (int i = 0; i < AT_ONCE; i++) {
        all[i] = (struct one){.index = i, .taken = i % 2};
        threads[i] = guest_start(live_and_end, &all[i]);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        CHECK(guest_join(threads[i]) == &all[i]);
        tally_add(&sum, &all[i].tally);
    }
    tally_print("at once", &sum);
}

static void detached(void)
{
    static struct one all[DETACHED];
    pthread_attr_t attributes;
    pthread_t thread;
    struct tally sum = {0};
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED), 0);
    for (int i = 0; i < DETACHED; i++) {
        all[i] = (struct one){.index = i, .taken = i % 4 < 2};
        CHECK_EQUAL(pthread_create(&thread, i % 2 ? NULL : &attributes, live_detached, &all[i]), 0);
    }
    for (int i = 0; i < DETACHED; i++)
        CHECK_EQUAL(sem_wait(&over), 0);
    for (int i = 0; i < DETACHED; i++)
        tally_add(&sum, &all[i].tally);
    tally_print("detached", &sum);
}

int main(void)
{
    struct one first = {.index = 0}, later = {.index = 1};
    int skip = state_begin();
    if (skip != 0)
        return skip;
    CHECK_EQUAL(pthread_key_create(&key, look_at_end), 0);
    CHECK_EQUAL(sem_init(&over, 0, 0), 0);
    wander_begin();
    one_by_one();
    at_once();
    detached();
    guest_join(guest_start(be_link, &first));
    tally_print("chain", &first.tally);
    guest_join(guest_start(live_and_end, &later));
    TALLY(&later.tally, state_is(false));
    tally_print("later", &later.tally);
    return tally_success();
}
