// SPDX-License-Identifier: MIT
// Writes on one processor to a thread that waits for it, by whatever descriptors, and gives up its turn once:
// the other must have read by then, and before a third one, which is ready all the time, had a turn. Who
// waits for the loop to tell him would rarely have. And who has read all there was waits next, without trying
// first.
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WRITES = 1000, ENOUGH = WRITES * 9 / 10 /* the monitor may look in between */ };

struct way {
    const char *name;
    int in, out;
    int tries; // no read of it is short
    int taken;
    int turns; // of the third one, when something was taken last
};

static int turns, done;

static void require(int right)
{
    if (!right)
        abort();
}

static int get(const int *number)
{
    return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

static void *turn(void *unused)
{
    while (!get(&done)) {
        __atomic_fetch_add(&turns, 1, __ATOMIC_SEQ_CST);
        sched_yield();
    }
    return unused;
}

static void *take(void *argument)
{
    struct way *way = argument;
    uint64_t numbers[2];
    for (int i = 0; i < WRITES; i++) {
        require(read(way->in, numbers, sizeof numbers) == sizeof *numbers);
        way->turns = get(&turns);
        __atomic_fetch_add(&way->taken, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

// System calls by which the process has read, of whatever result; 0: the kernel does not count them.
static long reads(void)
{
    char line[64];
    long count = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "syscr: %ld", &count);
    if (file)
        fclose(file);
    return count;
}

static int try(struct way *way)
{
    const uint64_t one = 1;
    int at_once = 0;
    long calls = reads();
    pthread_t thread;
    require(pthread_create(&thread, NULL, take, way) == 0);
    sched_yield();
    for (int i = 0; i < WRITES; i++) {
        int before = get(&turns);
        require(write(way->out, &one, sizeof one) == sizeof one);
        do
            sched_yield();
        while (get(&way->taken) <= i);
        at_once += way->turns == before;
    }
    require(pthread_join(thread, NULL) == 0);
    calls = reads() - calls;
    printf("%s: %d of %d times at once, %ld calls to read\n", way->name, at_once, WRITES, calls);
    return at_once >= ENOUGH && (way->tries || calls < WRITES * 11 / 10);
}

int main(void)
{
    int early[2], late[2], pair[2], passed = 1, event = -1, early_event = eventfd(0, 0);
    pthread_t third;
    require(pipe(early) == 0 && early_event >= 0);
    struct way ways[] = {{"a pipe made before the first thread", early[0], early[1], 0, 0, 0},
                         {"a pipe", 0, 0, 0, 0, 0},
                         {"a socket pair", 0, 0, 0, 0, 0},
                         {"an eventfd", 0, 0, 1, 0, 0},
                         {"an eventfd made before the first thread", early_event, early_event, 1, 0, 0}};
    require(pthread_create(&third, NULL, turn, NULL) == 0);
    passed &= try(&ways[0]);
    require(pipe(late) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
            (event = eventfd(0, 0)) >= 0);
    ways[1].in = late[0];
    ways[1].out = late[1];
    ways[2].in = pair[0];
    ways[2].out = pair[1];
    ways[3].in = ways[3].out = event;
    for (int i = 1; i < 5; i++)
        passed &= try(&ways[i]);
    __atomic_store_n(&done, 1, __ATOMIC_SEQ_CST);
    require(pthread_join(third, NULL) == 0);
    return !passed;
}
