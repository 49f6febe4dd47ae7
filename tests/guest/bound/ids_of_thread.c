// SPDX-License-Identifier: MIT
// To the kernel, user ids, group ids and the list of groups are a thread's. A file server (Samba, for one)
// changes those of one of its threads by syscall(2), and the other threads keep theirs. libc's own functions
// change those of all threads, each in what was asked for and in nothing else. Needs root, else it is
// skipped.
#include "bound.h"
#include <grp.h>

enum { THREADS = 20, CHECKS = 40, FIRST_USER = 20000, FIRST_GROUP = 30000, FOR_ALL = 65533, NOBODY = 65534 };

// In this order by a thread's index.
enum kind { PLAIN, USER, GROUPS, BOTH, KINDS };
static const char *const kinds[KINDS] = {"as main", "other user", "other groups", "other user and groups"};

struct ids {
    uid_t uids[3]; // real, effective, saved
    gid_t gids[3];
    gid_t groups[2];
    int group_count;
};

struct worker {
    enum kind kind;
    int index;
    struct ids ids;
    struct tally tally;
};

static pthread_barrier_t turn;

static struct ids ids_now(void)
{
    struct ids now;
    memset(&now, 0, sizeof now);
    CHECK_EQUAL(getresuid(&now.uids[0], &now.uids[1], &now.uids[2]), 0);
    CHECK_EQUAL(getresgid(&now.gids[0], &now.gids[1], &now.gids[2]), 0);
    now.group_count = getgroups(2, now.groups);
    return now;
}

static bool has_group(const struct ids *ids, gid_t group)
{
    return ids->gids[1] == group || (ids->group_count > 0 && ids->groups[0] == group) ||
           (ids->group_count > 1 && ids->groups[1] == group);
}

// What it is told and what it may open: of root, its own and the next worker's.
static void look(struct worker *worker)
{
    const struct ids *ids = &worker->ids;
    struct ids now = ids_now();
    bool all = ids->uids[1] == 0;
    char name[32];
    TALLY(&worker->tally, memcmp(now.uids, ids->uids, sizeof now.uids) == 0);
    TALLY(&worker->tally, memcmp(now.gids, ids->gids, sizeof now.gids) == 0);
    TALLY(&worker->tally, now.group_count == ids->group_count);
    TALLY(&worker->tally, memcmp(now.groups, ids->groups, sizeof now.groups) == 0);
    TALLY(&worker->tally, geteuid() == ids->uids[1] && getegid() == ids->gids[1]);
    TALLY(&worker->tally, open_error("for-root") == (all ? 0 : EACCES));
    TALLY(&worker->tally, open_error("for-group-0") == (all || has_group(ids, 0) ? 0 : EACCES));
    for (int other = worker->index; other < worker->index + 2; other++) {
        snprintf(name, sizeof name, "for-user-%d", other);
        bool may = all || ids->uids[1] == (uid_t)(FIRST_USER + other);
        TALLY(&worker->tally, open_error(name) == (may ? 0 : EACCES));
        snprintf(name, sizeof name, "for-group-%d", FIRST_GROUP + other);
        may = all || has_group(ids, (gid_t)(FIRST_GROUP + other));
        TALLY(&worker->tally, open_error(name) == (may ? 0 : EACCES));
    }
}

static void look_often(struct worker *worker, int times)
{
    for (int i = 0; i < times; i++) {
        look(worker);
        wander(2);
    }
}

static void set_users(struct ids *ids, uid_t real, uid_t effective)
{
    ids->uids[0] = real;
    ids->uids[1] = effective;
    CHECK_EQUAL(syscall(SYS_setresuid, (long)real, (long)effective, -1L), 0);
}

static void set_groups(struct ids *ids, int index)
{
    gid_t groups[2] = {(gid_t)(FIRST_GROUP + index), (gid_t)(FIRST_GROUP + THREADS)};
    for (int i = 0; i < 3; i++)
        ids->gids[i] = FIRST_GROUP + THREADS + 1;
    memcpy(ids->groups, groups, sizeof groups);
    ids->group_count = 2;
    CHECK_EQUAL(syscall(SYS_setgroups, 2, groups), 0);
    CHECK_EQUAL(syscall(SYS_setresgid, (long)ids->gids[0], (long)ids->gids[1], (long)ids->gids[2]), 0);
}

static void *inherit(void *argument)
{
    look_often(argument, CHECKS / 2);
    return NULL;
}

static void alone(struct worker *worker)
{
    uid_t own = (uid_t)(FIRST_USER + worker->index);
    if (worker->kind == GROUPS || worker->kind == BOTH)
        set_groups(&worker->ids, worker->index);
    wander(3);
    if (worker->kind == USER)
        set_users(&worker->ids, 0, own);
    else if (worker->kind == BOTH)
        set_users(&worker->ids, own, own);
    look_often(worker, CHECKS);
    struct worker heir = *worker;
    memset(&heir.tally, 0, sizeof heir.tally);
    pthread_t thread = guest_start(inherit, &heir);
    look_often(worker, CHECKS / 2);
    guest_join(thread);
    tally_add(&worker->tally, &heir.tally);
    if (worker->kind == USER || worker->kind == BOTH)
        set_users(&worker->ids, worker->ids.uids[0], 0);
    look_often(worker, CHECKS / 2);
}

// What main does is done to all, by libc.
static void by_main(struct worker *worker)
{
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); // setegid(FOR_ALL)
    worker->ids.gids[1] = FOR_ALL;
    look_often(worker, CHECKS / 2);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); // seteuid(NOBODY)
    worker->ids.uids[1] = NOBODY;
    look_often(worker, CHECKS / 2);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn); // seteuid(0)
    worker->ids.uids[1] = 0;
    look_often(worker, CHECKS / 2);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    worker->ids.group_count = 0;
    alone(worker);
    by_main(worker);
    return NULL;
}

static void prepare(void)
{
    char name[32];
    CHECK_EQUAL(setgroups(0, NULL), 0);
    CHECK(setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0);
    CHECK_EQUAL(chmod(".", 0755), 0);
    file_make("for-root", "", 0, 0, 0);
    file_make("for-group-0", "", 0, 0, 0040);
    for (int i = 0; i <= THREADS; i++) {
        snprintf(name, sizeof name, "for-user-%d", i);
        file_make(name, "", (uid_t)(FIRST_USER + i), 0, 0400);
        snprintf(name, sizeof name, "for-group-%d", FIRST_GROUP + i);
        file_make(name, "", 0, (gid_t)(FIRST_GROUP + i), 0040);
    }
}

int main(void)
{
    static struct worker workers[THREADS];
    struct worker mine = {.kind = PLAIN};
    pthread_t threads[THREADS];
    char name[64];
    if (geteuid() != 0) {
        puts("not root");
        return 77;
    }
    prepare();
    CHECK_EQUAL(pthread_barrier_init(&turn, NULL, THREADS + 1), 0);
    wander_begin();
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        workers[i].kind = (enum kind)(i % KINDS);
        threads[i] = guest_start(work, &workers[i]);
        look(&mine);
    }
    pthread_barrier_wait(&turn);
    CHECK_EQUAL(setegid(FOR_ALL), 0);
    mine.ids.gids[1] = FOR_ALL;
    pthread_barrier_wait(&turn);
    look_often(&mine, CHECKS / 2);
    pthread_barrier_wait(&turn);
    CHECK_EQUAL(seteuid(NOBODY), 0);
    mine.ids.uids[1] = NOBODY;
    pthread_barrier_wait(&turn);
    look_often(&mine, CHECKS / 2);
    pthread_barrier_wait(&turn);
    CHECK_EQUAL(seteuid(0), 0);
    mine.ids.uids[1] = 0;
    pthread_barrier_wait(&turn);
    for (int i = 0; i < THREADS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i, kinds[workers[i].kind]);
        tally_print(name, &workers[i].tally);
    }
    look_often(&mine, CHECKS / 2);
    tally_print("main", &mine.tally);
    return tally_success();
}
