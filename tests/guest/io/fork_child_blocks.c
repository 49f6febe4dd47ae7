// SPDX-License-Identifier: MIT
// A child forked by a thread while others are blocked has one thread and a working runtime: it blocks in
// read and poll, starts threads of its own that block and wake; the parent's threads go on.
#include "io.h"

static int parent_pipe[2], child_pipe[2], inner[2];

static void *in_parent(void *unused)
{
    char byte;
    blocks_next();
    CHECK(read(parent_pipe[0], &byte, 1) == 1);
    return unused;
}

static void *in_child(void *unused)
{
    char byte;
    CHECK(read(inner[0], &byte, 1) == 1 && byte == 'i');
    return unused;
}

static void *forker(void *unused)
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte;
        CHECK(read(child_pipe[0], &byte, 1) == 1 && byte == 'c');
        int64_t start = now();
        CHECK(poll(NULL, 0, 20) == 0 && now() - start >= 20 * GUEST_MILLISECOND);
        CHECK(pipe(inner) == 0);
        pthread_t thread = guest_start(in_child, NULL);
        yield_some(100);
        CHECK(write(inner[1], "i", 1) == 1);
        guest_join(thread);
        _exit(11);
    }
    blocks_next();
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return (void *)(intptr_t)(WEXITSTATUS(status) + (unused != NULL));
}

int main(void)
{
    pthread_t thread[5];
    CHECK(pipe(parent_pipe) == 0 && pipe(child_pipe) == 0);
    for (int i = 0; i < 5; i++)
        thread[i] = guest_start(in_parent, NULL);
    wait_blocked(5);
    pthread_t forking = guest_start(forker, NULL);
    wait_blocked(6);
    CHECK(write(child_pipe[1], "c", 1) == 1);
    printf("child %ld\n", (long)(intptr_t)guest_join(forking));
    CHECK(write(parent_pipe[1], "12345", 5) == 5);
    for (int i = 0; i < 5; i++)
        guest_join(thread[i]);
    return guest_success();
}
