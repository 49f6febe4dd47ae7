// SPDX-License-Identifier: MIT
// A thread that enters a namespace of its own takes along the threads that it creates from then on, and
// nobody else: each of them has the host name that was set there. Programs that manage containers and virtual
// routers do so in some of their threads. One of them goes back to where the others are. Needs root, else it
// is skipped.
#include "bound.h"
#include <sys/utsname.h>

enum { THREADS = 16, CHECKS = 60 };

struct worker {
    int index;
    bool leaves, returns;
    char host[65];
    struct tally tally;
};

static char host[65]; // of main
static int outside;   // main's namespace

static void look_often(struct worker *worker, int times)
{
    for (int i = 0; i < times; i++) {
        struct utsname system;
        char name[65];
        CHECK_EQUAL(uname(&system), 0);
        TALLY(&worker->tally, strcmp(system.nodename, worker->host) == 0);
        CHECK_EQUAL(gethostname(name, sizeof name), 0);
        TALLY(&worker->tally, strcmp(name, worker->host) == 0);
        wander(2);
    }
}

static void *inherit(void *argument)
{
    look_often((struct worker *)argument, CHECKS / 2);
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    strcpy(worker->host, host);
    look_often(worker, CHECKS / 4);
    if (worker->leaves) {
        CHECK_EQUAL(unshare(CLONE_NEWUTS), 0);
        wander(3);
        snprintf(worker->host, sizeof worker->host, "worker-%d", worker->index);
        CHECK_EQUAL(sethostname(worker->host, strlen(worker->host)), 0);
    }
    look_often(worker, CHECKS);
    struct worker heir = *worker;
    memset(&heir.tally, 0, sizeof heir.tally);
    pthread_t thread = guest_start(inherit, &heir);
    if (worker->returns) {
        CHECK_EQUAL(setns(outside, CLONE_NEWUTS), 0);
        strcpy(worker->host, host);
    }
    look_often(worker, CHECKS / 2);
    guest_join(thread);
    tally_add(&worker->tally, &heir.tally);
    return NULL;
}

static void *probe(void *allowed)
{
    *(bool *)allowed = unshare(CLONE_NEWUTS) == 0;
    return NULL;
}

int main(void)
{
    static struct worker workers[THREADS];
    struct worker mine = {0};
    pthread_t threads[THREADS];
    char name[48];
    bool allowed;
    guest_join(guest_start(probe, &allowed));
    if (!allowed) {
        puts("no namespaces here");
        return 77;
    }
    CHECK_EQUAL(gethostname(host, sizeof host), 0);
    strcpy(mine.host, host);
    outside = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    CHECK(outside >= 0);
    wander_begin();
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        workers[i].leaves = i % 2;
        workers[i].returns = i % 4 == 3;
        threads[i] = guest_start(work, &workers[i]);
        look_often(&mine, 1);
    }
    for (int i = 0; i < THREADS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i,
                 workers[i].returns  ? "leaves and returns"
                 : workers[i].leaves ? "leaves"
                                     : "stays");
        tally_print(name, &workers[i].tally);
    }
    look_often(&mine, CHECKS / 2);
    tally_print("main", &mine.tally);
    return tally_success();
}
