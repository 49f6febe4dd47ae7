// SPDX-License-Identifier: MIT
// Eight threads append records to one file, half through one O_APPEND descriptor, half through their own:
// none is lost or torn, each thread's are in order; a shared position moves once for each plain write.
#include "io.h"

enum { THREADS = 8, RECORDS = 200, LENGTH = 64 };

static int shared, plain;

static void *append(void *argument)
{
    int self = (int)(intptr_t)argument;
    int fd = self % 2 ? open("file", O_WRONLY | O_APPEND) : shared;
    for (int i = 0; i < RECORDS; i++) {
        char record[LENGTH + 1];
        snprintf(record, sizeof record, "%02d %04d %056d", self, i, self * 7919 + i);
        CHECK(write(fd, record, LENGTH) == LENGTH);
        CHECK(write(plain, record, LENGTH) == LENGTH);
    }
    if (fd != shared)
        close(fd);
    return NULL;
}

static void check(const char *name)
{
    int next[THREADS] = {0}, fd = open(name, O_RDONLY), total = 0;
    char record[LENGTH + 1] = "", expected[LENGTH + 1];
    ssize_t count;
    while ((count = read(fd, record, LENGTH)) == LENGTH) {
        int self = atoi(record);
        CHECK(self >= 0 && self < THREADS);
        snprintf(expected, sizeof expected, "%02d %04d %056d", self, next[self], self * 7919 + next[self]);
        CHECK(strcmp(record, expected) == 0);
        next[self]++;
        total++;
    }
    CHECK(count == 0 && unlink(name) == 0);
    printf("%s: %d records\n", name, total);
}

int main(void)
{
    shared = open("file", O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0600);
    plain = open("plain", O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(shared >= 0 && plain >= 0);
    guest_threads(THREADS, append);
    CHECK(lseek(plain, 0, SEEK_CUR) == THREADS * RECORDS * LENGTH);
    check("file");
    check("plain");
    return guest_success();
}
