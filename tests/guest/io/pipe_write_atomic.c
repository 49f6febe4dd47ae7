// SPDX-License-Identifier: MIT
// Writes of up to PIPE_BUF bytes by 16 threads to one pipe are never mixed, also when the pipe is full,
// and each writer's records stay in order.
#include "io.h"

enum { WRITERS = 16, RECORDS = 100, LONGEST = 4096 };

struct head {
    int writer, number, length;
};

static int pipe_fd[2];

static void *writer(void *argument)
{
    char record[LONGEST];
    int self = (int)(intptr_t)argument;
    for (int i = 0; i < RECORDS; i++) {
        struct head head = {self, i, i % 3 == 0 ? LONGEST : 1000 + (self * 131 + i * 17) % 3000};
        memset(record, 'a' + self, sizeof record);
        memcpy(record, &head, sizeof head);
        CHECK(write(pipe_fd[1], record, (size_t)head.length) == head.length);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[WRITERS];
    int next[WRITERS] = {0};
    CHECK(pipe(pipe_fd) == 0);
    for (int i = 0; i < WRITERS; i++)
        thread[i] = guest_start(writer, (void *)(intptr_t)i);
    for (int i = 0; i < WRITERS * RECORDS; i++) {
        char record[LONGEST];
        struct head head;
        read_whole(pipe_fd[0], &head, sizeof head);
        CHECK(head.writer >= 0 && head.writer < WRITERS && head.number == next[head.writer]++);
        size_t body = (size_t)head.length - sizeof head;
        read_whole(pipe_fd[0], record, body);
        for (size_t at = 0; at < body; at++)
            CHECK(record[at] == 'a' + head.writer);
    }
    for (int i = 0; i < WRITERS; i++) {
        guest_join(thread[i]);
        printf("writer %d: %d records\n", i, next[i]);
    }
    CHECK(unread(pipe_fd[0]) == 0);
    return guest_success();
}
