// SPDX-License-Identifier: MIT
// Threads wait in msgrcv for a System V message; a hundred others go on.
#include "stuck.h"
#include <sys/ipc.h>
#include <sys/msg.h>

static int queue;
static const struct {
    long type;
    char text[4];
} message = {5, "abc"};

static void block(int index)
{
    char buffer[sizeof message];
    (void)index;
    CHECK_EQUAL(msgrcv(queue, buffer, sizeof message.text, 5, 0), sizeof message.text);
    CHECK(strcmp(buffer + sizeof(long), "abc") == 0);
}

static void release(int threads)
{
    while (threads-- > 0)
        CHECK(msgsnd(queue, &message, sizeof message.text, 0) == 0);
}

int main(void)
{
    static const struct stuck kind = {NULL, block, release};
    queue = msgget(IPC_PRIVATE, 0600);
    CHECK(queue >= 0);
    int result = stuck_run(&kind);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    return result;
}
