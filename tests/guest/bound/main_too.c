// SPDX-License-Identifier: MIT
// The initial thread has a state of its own as any other: the threads that were there before it took the
// state have not got it, those that it creates afterwards have, and they go on so after it has ended by
// pthread_exit.
#include "state.h"

enum { THREADS = 16, LOOKS = 40 };

struct worker {
    int index;
    bool taken;
    struct tally tally;
};

static struct worker workers[THREADS], first;
static pthread_t threads[THREADS], initial;
static pthread_barrier_t initial_ended;

static void look_often(struct worker *worker, int times)
{
    for (int i = 0; i < times; i++) {
        TALLY(&worker->tally, state_is(worker->taken));
        wander(2);
    }
}

static void *come_late(void *argument)
{
    look_often(argument, LOOKS / 2);
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    look_often(worker, LOOKS);
    pthread_barrier_wait(&initial_ended);
    look_often(worker, LOOKS);
    struct worker heir = {.taken = worker->taken};
    guest_join(guest_start(come_late, &heir));
    tally_add(&worker->tally, &heir.tally);
    return NULL;
}

static void *be_last(void *argument)
{
    struct worker *last = argument;
    char name[48];
    look_often(last, LOOKS / 4);
    guest_join(initial);
    pthread_barrier_wait(&initial_ended);
    for (int i = 0; i < THREADS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i, workers[i].taken ? "with" : "without");
        tally_print(name, &workers[i].tally);
    }
    look_often(last, LOOKS / 4);
    tally_print("the last", &last->tally);
    tally_print("the first", &first.tally);
    exit(tally_success());
}

static void start(int from, int end, bool taken)
{
    for (int i = from; i < end; i++) {
        workers[i].index = i;
        workers[i].taken = taken;
        threads[i] = guest_start(work, &workers[i]);
    }
}

int main(void)
{
    static struct worker last = {.taken = true};
    int skip = state_begin();
    if (skip != 0)
        return skip;
    CHECK_EQUAL(pthread_barrier_init(&initial_ended, NULL, THREADS + 1), 0);
    initial = pthread_self();
    wander_begin();
    look_often(&first, LOOKS / 4);
    start(0, THREADS / 2, false);
    look_often(&first, LOOKS / 4);
    state_take();
    first.taken = true;
    look_often(&first, LOOKS / 4);
    start(THREADS / 2, THREADS, true);
    look_often(&first, LOOKS / 4);
    guest_start(be_last, &last);
    look_often(&first, LOOKS / 4);
    pthread_exit(NULL);
}
