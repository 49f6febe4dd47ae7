// SPDX-License-Identifier: MIT
// Threads wait in mq_receive for a POSIX message; a hundred others go on.
#include "stuck.h"
#include <mqueue.h>

static mqd_t queue;

static void block(int index)
{
    char text[8];
    (void)index;
    CHECK(mq_receive(queue, text, sizeof text, NULL) == 3 && memcmp(text, "abc", 3) == 0);
}

static void release(int threads)
{
    while (threads-- > 0)
        CHECK(mq_send(queue, "abc", 3, 0) == 0);
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    struct mq_attr attributes = {.mq_maxmsg = STUCK_FEW, .mq_msgsize = 8};
    char name[40];
    snprintf(name, sizeof name, "/guest-stuck-%d", (int)getpid());
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (queue < 0 && (errno == ENOSYS || errno == EACCES)) {
        puts("no message queues here");
        return 77;
    }
    CHECK(queue >= 0 && mq_unlink(name) == 0);
    return stuck_run(&kind);
}
