// SPDX-License-Identifier: MIT
// The user and group ids for files belong to a thread: a file server (nfs-ganesha, for one) gives a thread
// those of the client that it works for, while others work for root or for other clients. Threads that such a
// thread creates begin with its ids; when it has ended, no other has them. Needs root, else it is skipped.
#include "bound.h"
#include <grp.h>
#include <sys/fsuid.h>

enum { THREADS = 24, CHECKS = 40, NOBODY = 65534, GROUP = 65533 };

// In this order by a thread's index.
enum kind { ROOT, STRANGER, MEMBER, CHANGING };
static const char *const kinds[] = {"root", "stranger", "member of the group", "one then the other"};

struct worker {
    enum kind kind;
    int index;
    struct tally tally;
};

struct user {
    uid_t uid;
    gid_t gid;
};

static const struct user root = {0, 0}, stranger = {NOBODY, 0}, member = {NOBODY, GROUP};

static void look(struct tally *tally, const struct user *user)
{
    static atomic_int files;
    char name[32];
    struct stat status;
    TALLY(tally, open_error("for-all") == 0);
    TALLY(tally, open_error("for-root") == (user->uid == 0 ? 0 : EACCES));
    TALLY(tally, open_error("for-the-group") == (user->uid == 0 || user->gid == GROUP ? 0 : EACCES));
    snprintf(name, sizeof name, "new/%d", atomic_fetch_add(&files, 1));
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQUAL(fstat(fd, &status), 0);
    TALLY(tally, status.st_uid == user->uid && status.st_gid == user->gid);
    CHECK_EQUAL(close(fd), 0);
    TALLY(tally, unlink(name) == 0);
}

static void become(struct tally *tally, const struct user *before, const struct user *user)
{
    if (user->uid == 0) // first the id that gives the right to change the other
        TALLY(tally, setfsuid(user->uid) == (int)before->uid);
    TALLY(tally, setfsgid(user->gid) == (int)before->gid);
    if (user->uid != 0)
        TALLY(tally, setfsuid(user->uid) == (int)before->uid);
}

// Begins as its creator, and what it becomes is its own matter.
static void *inherit(void *argument)
{
    struct worker *worker = argument;
    const struct user *user = worker->kind == MEMBER ? &member : &stranger;
    for (int i = 0; i < CHECKS / 4; i++) {
        look(&worker->tally, user);
        wander(2);
    }
    become(&worker->tally, user, &root);
    for (int i = 0; i < CHECKS / 4; i++) {
        look(&worker->tally, &root);
        wander(2);
    }
    return NULL;
}

static void work_for(struct worker *worker, const struct user *user)
{
    struct worker heir = {.kind = worker->kind};
    become(&worker->tally, &root, user);
    for (int i = 0; i < CHECKS; i++) {
        if (i == CHECKS / 2) {
            pthread_t thread = guest_start(inherit, &heir);
            for (int k = 0; k < CHECKS / 2; k++) {
                look(&worker->tally, user);
                wander(1);
            }
            guest_join(thread);
        }
        look(&worker->tally, user);
        wander(2);
    }
    tally_add(&worker->tally, &heir.tally);
    if (worker->index % 8 < 4)
        return; // ends with these ids
    become(&worker->tally, user, &root);
    for (int i = 0; i < CHECKS; i++) {
        look(&worker->tally, &root);
        wander(1);
    }
    TALLY(&worker->tally, setfsuid((uid_t)-1) == 0 && setfsgid((gid_t)-1) == 0);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    switch (worker->kind) {
    case ROOT:
        for (int i = 0; i < CHECKS; i++) {
            look(&worker->tally, &root);
            wander(2);
        }
        break;
    case STRANGER:
        work_for(worker, &stranger);
        break;
    case MEMBER:
        work_for(worker, &member);
        break;
    case CHANGING:
        for (int i = 0; i < CHECKS; i++) {
            const struct user *user = i % 2 ? &stranger : &member;
            become(&worker->tally, &root, user);
            wander(1);
            look(&worker->tally, user);
            wander(1);
            become(&worker->tally, user, &root);
            wander(1);
            look(&worker->tally, &root);
        }
        break;
    }
    return NULL;
}

static void generation(int number, bool all_root)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    char name[64];
    memset(workers, 0, sizeof workers);
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        workers[i].kind = all_root ? ROOT : (enum kind)(i % 4);
        threads[i] = guest_start(work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "generation %d, worker %d (%s)", number, i, kinds[workers[i].kind]);
        tally_print(name, &workers[i].tally);
    }
}

int main(void)
{
    struct tally tally = {0};
    if (geteuid() != 0) {
        puts("not root");
        return 77;
    }
    CHECK_EQUAL(setgroups(0, NULL), 0);
    CHECK_EQUAL(chmod(".", 0755), 0);
    file_make("for-all", "", 0, 0, 0644);
    file_make("for-root", "", 0, 0, 0);
    file_make("for-the-group", "", 0, GROUP, 0040);
    CHECK_EQUAL(mkdir("new", 0777), 0);
    CHECK_EQUAL(chmod("new", 0777), 0);
    wander_begin();
    generation(1, false);
    generation(2, true);
    look(&tally, &root);
    TALLY(&tally, setfsuid((uid_t)-1) == 0);
    tally_print("main", &tally);
    return tally_success();
}
