// SPDX-License-Identifier: MIT
// A thread that has confined itself by Landlock, and the threads that it creates from then on, open files
// below the directories that it may see and no others; all other threads open whatever they like.
#include "filter.h"
#include <linux/landlock.h>

enum { THREADS = 16, CHECKS = 60 };

struct worker {
    int index; // odd ones confine themselves, to one of two directories
    bool confined;
    struct tally tally;
};

static const char *const places[] = {"place-0", "place-1"}, *const files[] = {"place-0/file", "place-1/file"};

static int ruleset_for_reading(void)
{
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
}

static void confine(int place)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
    int ruleset = ruleset_for_reading();
    CHECK(ruleset >= 0);
    rule.parent_fd = open(places[place], O_PATH | O_CLOEXEC);
    CHECK(rule.parent_fd >= 0);
    CHECK_EQUAL(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0), 0);
    no_new_privileges();
    CHECK_EQUAL(syscall(SYS_landlock_restrict_self, ruleset, 0), 0);
    CHECK_EQUAL(close(rule.parent_fd), 0);
    CHECK_EQUAL(close(ruleset), 0);
}

static void look_often(struct worker *worker, int times)
{
    int own = worker->index / 2 % 2;
    for (int i = 0; i < times; i++) {
        TALLY(&worker->tally, open_error(files[own]) == 0);
        TALLY(&worker->tally, open_error(files[!own]) == (worker->confined ? EACCES : 0));
        wander(2);
    }
}

static void *inherit(void *argument)
{
    look_often(argument, CHECKS / 2);
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    look_often(worker, CHECKS / 4);
    if (worker->index % 2) {
        confine(worker->index / 2 % 2);
        worker->confined = true;
    }
    look_often(worker, CHECKS);
    struct worker heir = *worker;
    memset(&heir.tally, 0, sizeof heir.tally);
    pthread_t thread = guest_start(inherit, &heir);
    look_often(worker, CHECKS / 2);
    guest_join(thread);
    tally_add(&worker->tally, &heir.tally);
    return NULL;
}

int main(void)
{
    static struct worker workers[THREADS];
    struct worker mine = {0};
    pthread_t threads[THREADS];
    char name[48];
    int ruleset = ruleset_for_reading();
    if (ruleset < 0) {
        puts("no Landlock here");
        return 77;
    }
    CHECK_EQUAL(close(ruleset), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(mkdir(places[i], 0755), 0);
        file_make(files[i], "", geteuid(), getegid(), 0644);
    }
    wander_begin();
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        threads[i] = guest_start(work, &workers[i]);
        look_often(&mine, 1);
    }
    for (int i = 0; i < THREADS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i, i % 2 ? "confined" : "free");
        tally_print(name, &workers[i].tally);
    }
    look_often(&mine, CHECKS / 2);
    tally_print("main", &mine.tally);
    return tally_success();
}
