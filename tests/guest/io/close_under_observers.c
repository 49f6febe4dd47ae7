// SPDX-License-Identifier: MIT
// Claims: poll and select go on with what they began to watch when another thread closes a number or gives it
// another meaning: the peer notices nothing, what happens to the old description ends the call, which then
// tells of the number as it is; so does the end of its time, and another descriptor.
#include <stdbool.h>
#include <sys/select.h>
#include "io.h"

enum what { NOTHING, OLD_READABLE, OTHER_READABLE, OLD_HANGS_UP, NEW_READABLE, WHATS };
enum { MILLISECONDS = 300, MOST_PLAYS = 100 };

static int scenes;

struct scene {
    bool selects;     // else polls
    bool overwritten; // else closed
    enum what what;   // happens then
    int watched[2], other[2], new[2];
    char shown[80];
    bool late; // the call began when the number was closed already
    atomic_bool returned;
};

static void observe_by_poll(struct scene *scene)
{
    struct pollfd polls[] = {{.fd = scene->watched[0], .events = POLLIN},
                             {.fd = scene->other[0], .events = POLLIN | POLLRDHUP},
                             {.fd = scene->watched[0], .events = POLLIN | POLLPRI}};
    int result = poll(polls, 3, MILLISECONDS);
    snprintf(scene->shown, sizeof scene->shown, "poll, overwritten %d, then %d: %d, %x %x %x\n",
             scene->overwritten, scene->what, result, (unsigned)polls[0].revents, (unsigned)polls[1].revents,
             (unsigned)polls[2].revents);
}

static void observe_by_select(struct scene *scene)
{
    struct timeval time = {.tv_usec = MILLISECONDS * 1000};
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(scene->watched[0], &readable);
    FD_SET(scene->other[0], &readable);
    int result = select(FD_SETSIZE, &readable, NULL, NULL, &time);
    scene->late = result < 0 && errno == EBADF;
    snprintf(scene->shown, sizeof scene->shown, "select, overwritten %d, then %d: %d, %d %d\n",
             scene->overwritten, scene->what, result, FD_ISSET(scene->watched[0], &readable) != 0,
             FD_ISSET(scene->other[0], &readable) != 0);
}

static void *observe(void *argument)
{
    struct scene *scene = argument;
    blocks_next();
    if (scene->selects)
        observe_by_select(scene);
    else
        observe_by_poll(scene);
    atomic_store(&scene->returned, true);
    return NULL;
}

// False when it has to be played again.
static bool play(struct scene *scene)
{
    int *pairs[] = {scene->watched, scene->other, scene->new};
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
    pthread_t thread = guest_start(observe, scene);
    wait_blocked(++scenes);
    if (scene->overwritten)
        CHECK_EQUAL(dup2(scene->new[0], scene->watched[0]), scene->watched[0]);
    else
        CHECK_EQUAL(close(scene->watched[0]), 0);
    yield_some(200);
    // Late, unless it is so each time: then the old description has gone with its number.
    bool at_once = atomic_load(&scene->returned);
    CHECK(!at_once || !scene->overwritten);
    if (scene->what == OLD_READABLE)
        at_once |= write(scene->watched[1], "x", 1) != 1 && !scene->overwritten;
    else if (scene->what == OTHER_READABLE)
        CHECK_EQUAL(write(scene->other[1], "x", 1), 1);
    else if (scene->what == OLD_HANGS_UP)
        CHECK_EQUAL(close(scene->watched[1]), 0);
    else if (scene->what == NEW_READABLE)
        CHECK_EQUAL(write(scene->new[1], "x", 1), 1);
    guest_join(thread);
    for (int i = 0; i < 3; i++)
        for (int end = 0; end < 2; end++)
            close(pairs[i][end]);
    return !at_once && !scene->late;
}

static void play_in_time(struct scene scene)
{
    for (int i = 0; i < MOST_PLAYS; i++) {
        struct scene again = scene;
        if (play(&again)) {
            printf("%s", again.shown);
            return;
        }
    }
    CHECK(!"returned when the number was closed");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (int selects = 0; selects < 2; selects++)
        for (int overwritten = 0; overwritten < 2; overwritten++)
            for (enum what what = 0; what < WHATS; what++)
                play_in_time((struct scene){.selects = selects, .overwritten = overwritten, .what = what});
    return guest_success();
}
