// SPDX-License-Identifier: MIT
// POSIX message queues between threads: a receiver waits for a message, a sender for room; the higher
// priority comes first; mq_timedreceive ends with ETIMEDOUT, not before its time.
#include "io.h"
#include <mqueue.h>

static mqd_t queue;

static void *receiver(void *unused)
{
    char text[50];
    unsigned priority;
    blocks_next();
    CHECK(mq_receive(queue, text, sizeof text, &priority) == 5 && priority == 7);
    printf("%.5s\n", text);
    return unused;
}

static void *sender(void *unused)
{
    for (unsigned i = 0; i < 100; i++)
        CHECK(mq_send(queue, (char *)&i, sizeof i, 0) == 0);
    return unused;
}

int main(void)
{
    char name[50], text[50];
    struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 50};
    struct timespec deadline;
    unsigned priority, number;
    snprintf(name, sizeof name, "/weft-guest-%d", getpid());
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    if (queue == (mqd_t)-1 && errno == ENOSYS) {
        puts("no message queues here");
        return 77;
    }
    CHECK(queue != (mqd_t)-1 && mq_unlink(name) == 0);
    pthread_t thread = guest_start(receiver, NULL);
    wait_blocked(1);
    CHECK(mq_send(queue, "hello", 5, 7) == 0);
    guest_join(thread);

    CHECK(mq_send(queue, "low", 3, 1) == 0 && mq_send(queue, "high", 4, 2) == 0);
    CHECK(mq_receive(queue, text, sizeof text, &priority) == 4 && priority == 2);
    CHECK(mq_receive(queue, text, sizeof text, &priority) == 3 && priority == 1);

    thread = guest_start(sender, NULL);
    for (unsigned i = 0; i < 100; i++) {
        CHECK(mq_receive(queue, text, sizeof text, NULL) == sizeof number);
        memcpy(&number, text, sizeof number);
        CHECK(number == i);
    }
    guest_join(thread);

    int64_t end = guest_now(CLOCK_REALTIME) + 30 * GUEST_MILLISECOND;
    deadline = guest_timespec(end);
    CHECK_FAILS(mq_timedreceive(queue, text, sizeof text, NULL, &deadline), ETIMEDOUT);
    CHECK(guest_now(CLOCK_REALTIME) >= end);
    CHECK(mq_close(queue) == 0);
    puts("100 in order");
    return guest_success();
}
