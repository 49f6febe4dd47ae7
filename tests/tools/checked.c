// SPDX-License-Identifier: MIT
//
// What `weft check` looks at: compiled several times, with other imports each time. Never run.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>

void checked_create(pthread_t *thread);

#ifdef THREADS
static void *body(void *argument)
{
    return argument;
}

void checked_create(pthread_t *thread)
{
    pthread_create(thread, NULL, body, NULL);
}
#endif

#ifdef MAIN
int main(void)
{
#if defined THREADS || defined CALLS_LIBRARY
    pthread_t thread;
    checked_create(&thread);
#endif
#ifdef LOOP
    printf("%d\n", epoll_create1(0));
#endif
#ifdef OPENS
    printf("%p\n", dlopen("checked.so", RTLD_NOW));
#endif
    return puts("done") < 0;
}
#endif
