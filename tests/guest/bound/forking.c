// SPDX-License-Identifier: MIT
// A child process of a thread with a state of its own has that state, and so have all threads of the child; a
// child of another thread has not, and what a child does to itself its parent does not notice. A program that
// is executed keeps of the state what the kernel lets it keep: that it gets no new privileges.
#include "state.h"
#include <spawn.h>

enum { THREADS = 8, ROUNDS = 4, THREADS_OF_CHILD = 4, LOOKS = 10, PROMISED = 40, NOT_PROMISED = 41 };

struct worker {
    int index;
    bool taken;
    struct tally tally;
};

static bool child_taken;

// Of the child: the number of looks that failed.
static void *look_in_child(void *index)
{
    intptr_t failed = 0;
    bool taken = child_taken;
    for (int i = 0; i < LOOKS; i++) {
        failed += !state_is(taken);
        wander(1);
        if (i == LOOKS / 2 && (intptr_t)index == 0) {
            state_take();
            taken = true;
        }
    }
    return (void *)failed;
}

__attribute__((noreturn)) static void be_child(bool taken)
{
    intptr_t failed = !state_is(taken);
    child_taken = taken;
    wander_begin();
    failed += guest_threads(THREADS_OF_CHILD, look_in_child);
    failed += !state_is(taken);
    _exit(failed > 100 ? 100 : (int)failed);
}

static int status_of(pid_t pid)
{
    int status;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static pid_t execute(bool spawns)
{
    extern char **environ;
    char program[] = "/proc/self/exe", word[] = "child";
    char *arguments[] = {program, word, NULL};
    pid_t pid;
    if (spawns) {
        CHECK_EQUAL(posix_spawn(&pid, program, NULL, NULL, arguments, environ), 0);
        return pid;
    }
    pid = vfork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execv(program, arguments);
        _exit(127);
    }
    return pid;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    if (worker->taken)
        state_take();
    for (int round = 0; round < ROUNDS; round++) {
        wander(4);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            be_child(worker->taken);
        wander(4);
        TALLY(&worker->tally, state_is(worker->taken));
        TALLY(&worker->tally, status_of(pid) == 0);
        pid = execute(round % 2);
        TALLY(&worker->tally, state_is(worker->taken));
        TALLY(&worker->tally, status_of(pid) == (worker->taken ? PROMISED : NOT_PROMISED));
        TALLY(&worker->tally, state_is(worker->taken));
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct tally mine = {0};
    char name[48];
    if (argc == 2 && strcmp(argv[1], "child") == 0)
        return state_promised() ? PROMISED : NOT_PROMISED;
    int skip = state_begin();
    if (skip != 0)
        return skip;
    wander_begin();
    for (int i = 0; i < THREADS; i++) {
        workers[i].index = i;
        workers[i].taken = i % 2;
        threads[i] = guest_start(work, &workers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        guest_join(threads[i]);
        snprintf(name, sizeof name, "worker %d (%s)", i, i % 2 ? "with" : "without");
        tally_print(name, &workers[i].tally);
        TALLY(&mine, state_is(false));
    }
    tally_print("main", &mine);
    return tally_success();
}
