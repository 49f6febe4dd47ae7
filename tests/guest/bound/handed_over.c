// SPDX-License-Identifier: MIT
// Threads with a state of their own and threads without it wake each other and wait for each other: in a ring
// by a mutex and a condition, at barriers, by semaphores and read-write locks, in a pipeline of pipes, over
// sockets whose receiving has a time-out, and asleep. Whoever goes on finds its state, and no other.
#include "state.h"
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { RING = 12, ROUNDS = 60, MEETING = 8, PAIRS = 4, STAGES = 10, ITEMS = 200, SOCKETS = 5, SLEEPERS = 6 };
enum { PARTS = 6, MOST = 12 };

struct role {
    int index;
    bool taken;
    struct tally tally;
};

static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ring_moved = PTHREAD_COND_INITIALIZER;
static int ring_place;
static pthread_barrier_t meeting;
static pthread_rwlock_t meeting_lock = PTHREAD_RWLOCK_INITIALIZER;
static long meeting_value;
static sem_t pair_turns[PAIRS][2];
static int stage_pipes[STAGES + 1][2], socket_pairs[SOCKETS][2];

static void go_round(struct role *role)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_mutex_lock(&ring_lock);
        while (ring_place % RING != role->index)
            pthread_cond_wait(&ring_moved, &ring_lock);
        TALLY(&role->tally, state_is(role->taken));
        ring_place++;
        pthread_cond_broadcast(&ring_moved);
        pthread_mutex_unlock(&ring_lock);
        TALLY(&role->tally, state_is(role->taken));
    }
}

static void meet(struct role *role)
{
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&meeting);
        TALLY(&role->tally, state_is(role->taken));
        if (role->index == round % MEETING) {
            pthread_rwlock_wrlock(&meeting_lock);
            sched_yield();
            meeting_value++;
        } else {
            pthread_rwlock_rdlock(&meeting_lock);
            TALLY(&role->tally, meeting_value == round || meeting_value == round + 1);
        }
        TALLY(&role->tally, state_is(role->taken));
        pthread_rwlock_unlock(&meeting_lock);
        pthread_barrier_wait(&meeting);
    }
}

static void take_turns(struct role *role)
{
    int side = role->index % 2;
    for (int round = 0; round < ROUNDS; round++) {
        CHECK_EQUAL(sem_wait(&pair_turns[role->index / 2][side]), 0);
        TALLY(&role->tally, state_is(role->taken));
        CHECK_EQUAL(sem_post(&pair_turns[role->index / 2][!side]), 0);
    }
}

// The first stage makes the items, each adds one, main counts what comes out.
static void pass_on(struct role *role)
{
    for (int item = 0; item < ITEMS; item++) {
        long value = item;
        if (role->index > 0)
            CHECK_EQUAL(read(stage_pipes[role->index][0], &value, sizeof value), sizeof value);
        TALLY(&role->tally, value == item + role->index);
        TALLY(&role->tally, state_is(role->taken));
        value++;
        CHECK_EQUAL(write(stage_pipes[role->index + 1][1], &value, sizeof value), sizeof value);
    }
}

// The one side waits in vain, then asks; the other answers.
static void converse(struct role *role)
{
    const struct timeval soon = {.tv_usec = 2000};
    int fd = socket_pairs[role->index / 2][role->index % 2];
    if (role->index % 2 == 0)
        CHECK_EQUAL(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
    for (int round = 0; round < ROUNDS; round++) {
        int word = 0;
        if (role->index % 2 == 0) {
            TALLY(&role->tally, recv(fd, &word, sizeof word, 0) == -1 && errno == EAGAIN);
            TALLY(&role->tally, state_is(role->taken));
            CHECK_EQUAL(send(fd, &round, sizeof round, 0), sizeof round);
            while (recv(fd, &word, sizeof word, 0) < 0)
                CHECK_EQUAL(errno, EAGAIN);
            TALLY(&role->tally, word == round + 1);
        } else {
            CHECK_EQUAL(recv(fd, &word, sizeof word, 0), sizeof word);
            word++;
            TALLY(&role->tally, state_is(role->taken));
            CHECK_EQUAL(send(fd, &word, sizeof word, 0), sizeof word);
        }
        TALLY(&role->tally, state_is(role->taken));
    }
}

static void sleep_often(struct role *role)
{
    for (int round = 0; round < ROUNDS; round++) {
        usleep(500 * (useconds_t)(1 + (role->index + round) % 4));
        TALLY(&role->tally, state_is(role->taken));
    }
}

struct part {
    const char *name;
    void (*play)(struct role *);
    int count;
    struct role roles[MOST];
    pthread_t threads[MOST];
};

static struct part parts[PARTS] = {
    {.name = "ring", .play = go_round, .count = RING},
    {.name = "meeting", .play = meet, .count = MEETING},
    {.name = "turns", .play = take_turns, .count = 2 * PAIRS},
    {.name = "pipeline", .play = pass_on, .count = STAGES},
    {.name = "sockets", .play = converse, .count = 2 * SOCKETS},
    {.name = "sleepers", .play = sleep_often, .count = SLEEPERS},
};

struct start {
    struct part *part;
    struct role *role;
};

static void *play(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    if (start.role->taken)
        state_take();
    start.part->play(start.role);
    TALLY(&start.role->tally, state_is(start.role->taken));
    return NULL;
}

static void prepare(void)
{
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, MEETING), 0);
    for (int i = 0; i < PAIRS; i++)
        CHECK(sem_init(&pair_turns[i][0], 0, 1) == 0 && sem_init(&pair_turns[i][1], 0, 0) == 0);
    for (int i = 1; i <= STAGES; i++)
        CHECK_EQUAL(pipe(stage_pipes[i]), 0);
    for (int i = 0; i < SOCKETS; i++)
        CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_pairs[i]), 0);
}

int main(void)
{
    struct tally main_tally = {0};
    int skip = state_begin();
    if (skip != 0)
        return skip;
    prepare();
    for (struct part *part = parts; part < parts + PARTS; part++) {
        for (int i = 0; i < part->count; i++) {
            struct start *start = malloc(sizeof *start);
            CHECK(start != NULL);
            *start = (struct start){part, &part->roles[i]};
            part->roles[i].index = i;
            part->roles[i].taken = (i + i / 4) % 2; // both orders
            part->threads[i] = guest_start(play, start);
        }
    }
    for (int item = 0; item < ITEMS; item++) {
        long value;
        CHECK_EQUAL(read(stage_pipes[STAGES][0], &value, sizeof value), sizeof value);
        TALLY(&main_tally, value == item + STAGES);
        TALLY(&main_tally, state_is(false));
    }
    for (struct part *part = parts; part < parts + PARTS; part++) {
        struct tally sum = {0};
        for (int i = 0; i < part->count; i++) {
            guest_join(part->threads[i]);
            tally_add(&sum, &part->roles[i].tally);
        }
        tally_print(part->name, &sum);
    }
    tally_print("main", &main_tally);
    return tally_success();
}
