// SPDX-License-Identifier: MIT
// A thread that has left the others by unshare(CLONE_FS) has a working directory, a root and a umask of its
// own, and shares them with the threads that it creates from then on, and with nobody else (file servers do
// so: Samba for one). Five groups of threads: four whose leader has left, one of those who share with main.
// In each a member goes to another directory, which its group sees and no other; then one leaves its group
// and the rest does not notice.
#include "bound.h"

enum { GROUPS = 5, MEMBERS = 4, CHECKS = 40 }; // group 0 is main's
enum { CONFINED = 4 };                         // the group whose leader calls chroot, when it may

struct place {
    const char *file; // what the file `name` says here
    const char *path; // how the path of the working directory ends
    mode_t mask;
};

struct group {
    int number;
    char names[2][16], paths[2][32];
    struct place first, then, outside;
    pthread_barrier_t all;
    struct tally tallies[MEMBERS];
};

struct member {
    struct group *group;
    int index;
};

static struct group groups[GROUPS];
static pthread_barrier_t leaders;

static bool ends_with(const char *string, const char *end)
{
    size_t length = strlen(string), wanted = strlen(end);
    return length >= wanted && strcmp(string + length - wanted, end) == 0;
}

static void look(struct tally *tally, const struct place *place)
{
    static atomic_int files;
    char text[256] = "", name[32];
    struct stat status;
    int fd = open("name", O_RDONLY | O_CLOEXEC);
    TALLY(tally, fd >= 0 && read(fd, text, sizeof text - 1) >= 0 && strcmp(text, place->file) == 0);
    if (fd >= 0)
        CHECK_EQUAL(close(fd), 0);
    TALLY(tally, getcwd(text, sizeof text) && ends_with(text, place->path));
    snprintf(name, sizeof name, "made-%d", atomic_fetch_add(&files, 1));
    fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    CHECK(fd >= 0);
    CHECK_EQUAL(fstat(fd, &status), 0);
    TALLY(tally, (status.st_mode & 0777) == (0666 & ~place->mask));
    CHECK_EQUAL(close(fd), 0);
    TALLY(tally, unlink(name) == 0);
}

static void look_often(struct tally *tally, const struct place *place)
{
    for (int i = 0; i < CHECKS; i++) {
        look(tally, place);
        wander(2);
    }
}

static void go(const char *path, mode_t mask)
{
    CHECK_EQUAL(chdir(path), 0);
    umask(mask);
}

static void take_part(struct group *group, int index)
{
    struct tally *tally = &group->tallies[index];
    look_often(tally, &group->first);
    pthread_barrier_wait(&group->all);
    if (index == 1)
        go("deeper", group->then.mask);
    pthread_barrier_wait(&group->all);
    look_often(tally, &group->then);
    pthread_barrier_wait(&group->all);
    if (index == 2) {
        CHECK_EQUAL(unshare(CLONE_FS), 0);
        go("..", group->outside.mask);
        look_often(tally, &group->outside);
    } else {
        look_often(tally, &group->then);
    }
}

static void *follow(void *argument)
{
    struct member *member = argument;
    take_part(member->group, member->index);
    return NULL;
}

// Its followers are created when it is where the group begins.
static void *lead(void *argument)
{
    struct group *group = argument;
    struct member members[MEMBERS];
    pthread_t threads[MEMBERS];
    if (group->number > 0) {
        CHECK_EQUAL(unshare(CLONE_FS), 0);
        wander(5);
        go(group->names[0], group->first.mask);
        if (group->number == CONFINED && chroot(".") == 0)
            group->first.path = "/", group->outside.path = "/", group->then.path = "/deeper";
    }
    pthread_barrier_wait(&leaders);
    if (group->number == 0) // where main was until now
        go(group->names[0], group->first.mask);
    for (int i = 1; i < MEMBERS; i++) {
        members[i] = (struct member){group, i};
        threads[i] = guest_start(follow, &members[i]);
    }
    take_part(group, 0);
    for (int i = 1; i < MEMBERS; i++)
        guest_join(threads[i]);
    return NULL;
}

// When all others have ended.
static void *come_late(void *argument)
{
    struct member *member = argument;
    look_often(&member->group->tallies[member->index], &member->group->then);
    return NULL;
}

static void prepare(struct group *group, int number)
{
    const mode_t masks[] = {022, 027, 077, 002, 037};
    char file[48];
    group->number = number;
    snprintf(group->names[0], sizeof group->names[0], "group-%d", number);
    snprintf(group->names[1], sizeof group->names[1], "deeper-%d", number);
    snprintf(group->paths[0], sizeof group->paths[0], "/group-%d", number);
    snprintf(group->paths[1], sizeof group->paths[1], "/group-%d/deeper", number);
    group->first = (struct place){group->names[0], group->paths[0], masks[number]};
    group->then = (struct place){group->names[1], group->paths[1], masks[(number + 1) % GROUPS]};
    group->outside = (struct place){group->names[0], group->paths[0], masks[(number + 2) % GROUPS]};
    CHECK_EQUAL(mkdir(group->names[0], 0755), 0);
    CHECK_EQUAL(mkdir(group->paths[1] + 1, 0755), 0);
    snprintf(file, sizeof file, "group-%d/name", number);
    file_make(file, group->names[0], geteuid(), getegid(), 0644);
    snprintf(file, sizeof file, "group-%d/deeper/name", number);
    file_make(file, group->names[1], geteuid(), getegid(), 0644);
    CHECK_EQUAL(pthread_barrier_init(&group->all, NULL, MEMBERS), 0);
}

int main(void)
{
    static const char *const members[MEMBERS] = {"leader", "member who moves", "member who leaves", "member"};
    pthread_t threads[GROUPS];
    char name[48];
    for (int number = 0; number < GROUPS; number++)
        prepare(&groups[number], number);
    CHECK_EQUAL(pthread_barrier_init(&leaders, NULL, GROUPS), 0);
    wander_begin();
    for (int number = 1; number < GROUPS; number++)
        threads[number] = guest_start(lead, &groups[number]);
    lead(&groups[0]);
    for (int number = 1; number < GROUPS; number++)
        guest_join(threads[number]);
    struct member late = {&groups[0], 3};
    guest_join(guest_start(come_late, &late));
    for (int number = 0; number < GROUPS; number++) {
        for (int i = 0; i < MEMBERS; i++) {
            snprintf(name, sizeof name, "group %d, %s", number, members[i]);
            tally_print(name, &groups[number].tallies[i]);
        }
    }
    return tally_success();
}
