// SPDX-License-Identifier: MIT
// Claims: threads that print into a full pipe block there, with the stream's lock held, until a reader makes
// room; every line arrives whole.
#include "guest.h"

#define THREADS 4
#define LINES   100
#define WIDTH   400 // in all more than a pipe holds

static FILE *output;

static void *body(void *index)
{
    char text[WIDTH];
    memset(text, 'a' + (int)(intptr_t)index, sizeof(text));
    for (int i = 0; i < LINES; i++)
        CHECK_EQUAL(fprintf(output, "%.*s\n", WIDTH, text), WIDTH + 1);
    CHECK_EQUAL(fflush(output), 0);
    return NULL;
}

static void *write_all(void *argument)
{
    guest_threads(THREADS, body);
    CHECK_EQUAL(fclose(output), 0);
    return argument;
}

int main(void)
{
    char line[WIDTH + 10];
    int ends[2], count[THREADS] = {0};

    CHECK_EQUAL(pipe(ends), 0);
    output = fdopen(ends[1], "w");
    FILE *input = fdopen(ends[0], "r");
    CHECK(output != NULL && input != NULL);
    pthread_t writer = guest_start(write_all, NULL);
    while (fgets(line, sizeof(line), input) != NULL) {
        CHECK_EQUAL(strlen(line), WIDTH + 1);
        CHECK_EQUAL(strspn(line, (char[]){line[0], '\0'}), WIDTH);
        CHECK(line[0] >= 'a' && line[0] < 'a' + THREADS);
        count[line[0] - 'a']++;
    }
    guest_join(writer);
    for (int i = 0; i < THREADS; i++) {
        printf("%c: %d\n", 'a' + i, count[i]);
        CHECK_EQUAL(count[i], LINES);
    }
    return guest_success();
}
