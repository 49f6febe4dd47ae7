// SPDX-License-Identifier: MIT
//
// A program with four threads that dies in the way its argument names, each time in a thread other than main
// and inside of functions whose names say where. core-backtrace looks for them in the core file.
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOT_INLINE __attribute__((noinline))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t never;
static int pipes[2];
static atomic_int victim_here;
static int *volatile nowhere;

NOT_INLINE static void write_to_null(void)
{
    *nowhere = 1;
}

NOT_INLINE static void jump_to_null(void)
{
    void (*volatile function)(void) = NULL;
    function();
}

NOT_INLINE static void give_up(void)
{
    abort();
}

NOT_INLINE static void overflow_stack(volatile char *above)
{
    volatile char here[4096];
    here[0] = *above;
    overflow_stack(here);
    here[1] = *above;
}

NOT_INLINE static void wait_for_pipe(void)
{
    char byte;
    atomic_store(&victim_here, 1);
    if (read(pipes[0], &byte, 1) != 1)
        _exit(1);
}

NOT_INLINE static void wait_for_lock(void)
{
    atomic_store(&victim_here, 1);
    pthread_mutex_lock(&lock);
}

NOT_INLINE static void compute(void)
{
    atomic_store(&victim_here, 1);
    while (atomic_load(&victim_here))
        ;
}

// As the handlers of programs that report their end themselves do: the default action follows, where it
// happened.
static void on_fault(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

NOT_INLINE static void fault_with_handler(void)
{
    struct sigaction action = {.sa_handler = on_fault};
    sigaction(SIGSEGV, &action, NULL);
    write_to_null();
}

NOT_INLINE static void fault_with_handler_on_other_stack(void)
{
    static char memory[1 << 16];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    write_to_null();
}

NOT_INLINE static void overflow_with_nothing(void)
{
    char first = 0;
    overflow_stack(&first);
}

static void *bystander(void *unused)
{
    sem_wait(&never);
    return unused;
}

static const struct {
    const char *name;
    void (*victim)(void);
    int signal; // another thread sends it to the victim; 0: it dies by itself
} deaths[] = {
    {"null", write_to_null, 0},
    {"jump", jump_to_null, 0},
    {"abort", give_up, 0},
    {"overflow", overflow_with_nothing, 0},
    {"handler", fault_with_handler, 0},
    {"handler-stack", fault_with_handler_on_other_stack, 0},
    {"kill-reading", wait_for_pipe, SIGSEGV},
    {"kill-locking", wait_for_lock, SIGABRT},
    {"kill-computing", compute, SIGQUIT},
};
enum { DEATHS = sizeof deaths / sizeof *deaths };

static void *victim(void *death)
{
    deaths[*(int *)death].victim();
    return NULL;
}

int main(int argc, char **argv)
{
    int death = 0;
    while (death < DEATHS && (argc != 2 || strcmp(deaths[death].name, argv[1]) != 0))
        death++;
    if (death == DEATHS) {
        for (death = 0; death < DEATHS; death++)
            puts(deaths[death].name);
        return 2;
    }
    sem_init(&never, 0, 0);
    if (pipe(pipes) != 0)
        return 1;
    pthread_mutex_lock(&lock);
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, bystander, NULL);
    pthread_create(&threads[1], NULL, victim, &death);
    pthread_create(&threads[2], NULL, bystander, NULL);
    if (deaths[death].signal) {
        while (!atomic_load(&victim_here))
            sched_yield();
        pthread_kill(threads[1], deaths[death].signal);
    }
    pthread_join(threads[1], NULL);
    return 1;
}
