// SPDX-License-Identifier: MIT
// A file that may be opened when a thread of this program says so: its answer is written to what no poll says
// can be written to.
#include "io.h"

#include <sys/fanotify.h>

static int group;

static void *monitor(void *unused)
{
    _Alignas(8) char events[4096];
    CHECK(read(group, events, sizeof events) > 0);
    const struct fanotify_event_metadata *event = (const void *)events;
    const struct fanotify_response answer = {event->fd, FAN_ALLOW};
    CHECK_EQUAL(write(group, &answer, sizeof answer), sizeof answer);
    return unused;
}

int main(void)
{
    int status;
    alarm(20);
    group = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
    if (group < 0) {
        printf("fanotify: %s\n", strerror(errno));
        return 77;
    }
    int file = open("guarded", O_CREAT | O_RDWR, 0600);
    CHECK(file >= 0 && close(file) == 0);
    if (fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "guarded") != 0) {
        printf("fanotify: %s\n", strerror(errno));
        return 77;
    }
    pthread_t thread = guest_start(monitor, NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(open("guarded", O_RDONLY) >= 0 ? 0 : 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    guest_join(thread);
    return guest_success();
}
