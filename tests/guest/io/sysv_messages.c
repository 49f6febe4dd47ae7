// SPDX-License-Identifier: MIT
// SysV message queues between threads: msgrcv waits for a message of its type, msgsnd for room; removing
// the queue ends a waiter with EIDRM.
#include "io.h"
#include <sys/ipc.h>
#include <sys/msg.h>

enum { MESSAGES = 60 };

struct message {
    long type;
    char text[1000];
};

static int queue;

static void *receiver(void *argument)
{
    struct message message;
    long type = (long)(intptr_t)argument;
    blocks_next();
    for (int i = 0; i < MESSAGES; i++) {
        CHECK(msgrcv(queue, &message, sizeof message.text, type, 0) == 1000);
        CHECK(message.type == type && atoi(message.text) == i);
    }
    return NULL;
}

static void *removed(void *unused)
{
    struct message message;
    blocks_next();
    CHECK(msgrcv(queue, &message, sizeof message.text, 9, 0) == -1);
    CHECK(errno == EIDRM || errno == EINVAL); /* EINVAL: it started late */
    return unused;
}

int main(void)
{
    pthread_t thread[3];
    struct message message;
    queue = msgget(IPC_PRIVATE, 0600);
    if (queue < 0 && errno == ENOSYS) {
        puts("no SysV queues here");
        return 77;
    }
    CHECK(queue >= 0);
    CHECK_FAILS(msgrcv(queue, &message, 10, 0, IPC_NOWAIT), ENOMSG);
    for (int i = 0; i < 3; i++)
        thread[i] = guest_start(receiver, (void *)(intptr_t)(i + 1));
    wait_blocked(3);
    for (int i = 0; i < MESSAGES * 3; i++) {
        memset(&message, 0, sizeof message);
        message.type = 3 - i % 3;
        snprintf(message.text, sizeof message.text, "%d", i / 3);
        CHECK(msgsnd(queue, &message, sizeof message.text, 0) == 0);
    }
    for (int i = 0; i < 3; i++)
        guest_join(thread[i]);
    thread[0] = guest_start(removed, NULL);
    wait_blocked(4);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    guest_join(thread[0]);
    printf("%d messages\n", 3 * MESSAGES);
    return guest_success();
}
