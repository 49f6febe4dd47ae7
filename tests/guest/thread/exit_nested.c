// SPDX-License-Identifier: MIT
// Claims: pthread_exit deep in a call ends the thread with its value, runs the pushed cleanup handlers from
// last to first and then the destructors of thread-specific data; nothing after it runs.
#include <sched.h>
#include "guest.h"

static pthread_key_t key;
static char order[64];
static int came_back;

static void note(void *text)
{
    sched_yield(); // handlers may block
    strcat(order, (const char *)text);
}

// By a pointer, or the compiler takes the recursion for an endless one.
static void (*volatile leave)(void *) = pthread_exit;

static void descend(int depth)
{
    char text[] = {(char)('0' + depth), '\0'};
    pthread_cleanup_push(note, text);
    if (depth < 5)
        descend(depth + 1);
    else
        leave(order);
    came_back = 1;
    pthread_cleanup_pop(0);
}

static void *body(void *argument)
{
    CHECK_EQUAL(pthread_setspecific(key, "d"), 0);
    pthread_cleanup_push(note, (void *)"x");
    pthread_cleanup_pop(0);
    pthread_cleanup_push(note, (void *)"a");
    pthread_cleanup_pop(1);
    descend(1);
    return argument;
}

int main(void)
{
    CHECK_EQUAL(pthread_key_create(&key, note), 0);
    char *result = (char *)guest_join(guest_start(body, NULL));
    CHECK(result == order);
    CHECK_EQUAL(came_back, 0);
    puts(order);
    CHECK(strcmp(order, "a54321d") == 0);
    return guest_success();
}
