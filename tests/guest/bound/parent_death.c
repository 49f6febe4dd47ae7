// SPDX-License-Identifier: MIT
// A child that wants a signal when its parent dies gets none while the thread that made it lives, whatever
// comes and goes beside that: the kernel threads that other threads need for blocking calls, more and fewer
// of them, are not the child's parent. Servers that must not leave children behind do so.
#include "orphan.h"

enum { PARENTS = 9, BLOCKED = 60, WAVES = 2, QUESTIONS = 40 };

struct parent {
    int index;
    enum orphan_kind kind;
    struct tally tally;
};

static int holder_commands[2], holder_answers[2];
static int lock_file;
static pthread_barrier_t begin, waves_passed, turns[PARENTS];

static struct flock lock_of_kind(short kind)
{
    return (struct flock){.l_type = kind, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
}

// Another process, which takes the lock and releases it.
static void hold(void)
{
    struct flock lock;
    char command;
    while (read(holder_commands[0], &command, 1) == 1) {
        lock = lock_of_kind(command == 'l' ? F_WRLCK : F_UNLCK);
        CHECK_EQUAL(fcntl(lock_file, F_SETLKW, &lock), 0);
        CHECK_EQUAL(write(holder_answers[1], &command, 1), 1);
    }
    _exit(0);
}

static void tell_holder(char command)
{
    char answer;
    CHECK_EQUAL(write(holder_commands[1], &command, 1), 1);
    CHECK_EQUAL(read(holder_answers[0], &answer, 1), 1);
    CHECK_EQUAL(answer, command);
}

static pid_t start_holder(void)
{
    lock_file = open("lock", O_RDWR | O_CREAT, 0600);
    CHECK(lock_file >= 0);
    CHECK(pipe(holder_commands) == 0 && pipe(holder_answers) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(holder_commands[1]);
        hold();
    }
    return pid;
}

static void *block(void *argument)
{
    struct flock lock = lock_of_kind(F_RDLCK);
    CHECK_EQUAL(fcntl(lock_file, F_SETLKW, &lock), 0);
    return argument;
}

// For a while many threads are in the kernel at once, and then they are gone for longer than one keeps what
// they needed. These times only make it likely that something happens; nothing is expected of them.
static void wave(void)
{
    struct flock none = lock_of_kind(F_UNLCK);
    pthread_t threads[BLOCKED];
    tell_holder('l');
    for (int i = 0; i < BLOCKED; i++)
        threads[i] = guest_start(block, NULL);
    usleep(300000);
    tell_holder('u');
    for (int i = 0; i < BLOCKED; i++)
        guest_join(threads[i]);
    CHECK_EQUAL(fcntl(lock_file, F_SETLK, &none), 0); // the process's
    usleep(400000);
}

static void *be_parent(void *argument)
{
    struct parent *parent = argument;
    wander(parent->index);
    struct orphan orphan = orphan_make(parent->kind);
    wander(5);
    pthread_barrier_wait(&begin);
    for (int i = 0; i < QUESTIONS && parent->index % 2; i++) { // meanwhile
        wander(3);
        TALLY(&parent->tally, orphan_ask(&orphan) == 'a');
    }
    pthread_barrier_wait(&waves_passed);
    for (int i = 0; i < QUESTIONS; i++) {
        TALLY(&parent->tally, orphan_ask(&orphan) == 'a');
        wander(2);
    }
    pthread_barrier_wait(&turns[parent->index]);
    TALLY(&parent->tally, orphan_ask(&orphan) == 'a');
    TALLY(&parent->tally, write(orphan.commands, "q", 1) == 1);
    int status = orphan_status(&orphan);
    TALLY(&parent->tally, status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == ORPHAN_STATUS);
    orphan_close(&orphan);
    pthread_barrier_wait(&turns[parent->index]);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct parent parents[PARENTS];
    pthread_t threads[PARENTS];
    char name[64];
    orphan_main(argc, argv);
    int status;
    pid_t holder = start_holder();
    CHECK_EQUAL(pthread_barrier_init(&begin, NULL, PARENTS + 1), 0);
    CHECK_EQUAL(pthread_barrier_init(&waves_passed, NULL, PARENTS + 1), 0);
    wander_begin();
    for (int i = 0; i < PARENTS; i++) {
        parents[i].index = i;
        parents[i].kind = (enum orphan_kind)(i % ORPHAN_KINDS);
        CHECK_EQUAL(pthread_barrier_init(&turns[i], NULL, 2), 0);
        threads[i] = guest_start(be_parent, &parents[i]);
    }
    pthread_barrier_wait(&begin);
    for (int i = 0; i < WAVES; i++)
        wave();
    pthread_barrier_wait(&waves_passed);
    for (int i = 0; i < PARENTS; i++) { // one after the other
        pthread_barrier_wait(&turns[i]);
        pthread_barrier_wait(&turns[i]);
    }
    for (int i = 0; i < PARENTS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "parent %d (%s)", i, orphan_kinds[parents[i].kind]);
        tally_print(name, &parents[i].tally);
    }
    kill(holder, SIGKILL);
    CHECK_EQUAL(waitpid(holder, &status, 0), holder);
    return tally_success();
}
