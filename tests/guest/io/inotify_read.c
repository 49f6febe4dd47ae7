// SPDX-License-Identifier: MIT
// A read of an inotify descriptor waits for an event and returns all that there are.
#include "io.h"
#include <sys/inotify.h>

static int notify;

static void *reader(void *unused)
{
    for (int seen = 0; seen < 3;) {
        char buffer[1000] __attribute__((aligned(8)));
        blocks_next();
        ssize_t count = read(notify, buffer, sizeof buffer);
        CHECK(count > 0);
        for (ssize_t at = 0; at < count;) {
            struct inotify_event *event = (struct inotify_event *)(buffer + at);
            printf("%#x %s\n", event->mask, event->name);
            at += (ssize_t)(sizeof *event + event->len);
            seen++;
        }
    }
    return unused;
}

int main(void)
{
    CHECK(mkdir("watched", 0700) == 0);
    notify = inotify_init1(0);
    CHECK(inotify_add_watch(notify, "watched", IN_CREATE | IN_DELETE | IN_MOVED_TO) == 1);
    pthread_t thread = guest_start(reader, NULL);
    wait_blocked(1);
    int file = open("watched/one", O_WRONLY | O_CREAT, 0600);
    CHECK(file >= 0 && close(file) == 0);
    wait_blocked(2);
    CHECK(mkdir("watched/two", 0700) == 0);
    wait_blocked(3);
    CHECK(unlink("watched/one") == 0);
    guest_join(thread);
    CHECK(rmdir("watched/two") == 0 && rmdir("watched") == 0);
    return guest_success();
}
