// SPDX-License-Identifier: MIT
// Threads with a state of their own and threads without it are signalled and cancelled wherever they wait or
// compute: the handlers, on the thread's stack or an alternate one, and what runs at a cancellation find the
// thread's state. A signal to the process is handled by one of them, with that one's state.
#include "state.h"
#include <semaphore.h>
#include <signal.h>

enum { SIGNALS = 40, STACK = 64 << 10 };
enum way { READ, CONDITION, SEMAPHORE, SLEEP, WANDER, COMPUTE, WAYS };
enum { THREADS = 4 * WAYS, VICTIMS = 2 * 4 };

static const char *const ways[WAYS] = {
    "reads", "waits for a condition", "waits for a semaphore", "sleeps", "wanders", "computes"};

struct worker {
    enum way way;
    bool taken;
    int pipe[2];
    atomic_bool ends;
    struct tally tally, handled;
};

static sem_t ready, handled, never;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static struct worker workers[THREADS], victims[VICTIMS];
static __thread struct worker *self; // NULL in threads that are not to be signalled

static void handle(int number)
{
    (void)number;
    int error = errno;
    TALLY(&self->handled, state_is(self->taken));
    TALLY(&self->handled, state_promised() == self->taken);
    CHECK_EQUAL(sem_post(&handled), 0);
    errno = error;
}

static void wait_once(struct worker *worker)
{
    char byte;
    switch (worker->way) {
    case READ:
        CHECK_EQUAL(read(worker->pipe[0], &byte, 1), 1);
        break;
    case CONDITION:
        pthread_mutex_lock(&lock);
        while (!worker->ends)
            pthread_cond_wait(&change, &lock);
        pthread_mutex_unlock(&lock);
        break;
    case SEMAPHORE:
        sem_wait(&never);
        break;
    case SLEEP:
        usleep(100000);
        break;
    case WANDER:
        wander(1);
        break;
    case COMPUTE:
        for (volatile int i = 0; i < 100000; i++)
            ;
        break;
    default:
        break;
    }
}

static void set_signals(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    CHECK_EQUAL(pthread_sigmask(how, &set, NULL), 0);
}

static void *be_signalled(void *argument)
{
    struct worker *worker = argument;
    stack_t alternate = {.ss_sp = malloc(STACK), .ss_size = STACK};
    CHECK(alternate.ss_sp != NULL);
    CHECK_EQUAL(sigaltstack(&alternate, NULL), 0);
    self = worker;
    if (worker->taken)
        state_take();
    set_signals(SIG_UNBLOCK);
    CHECK_EQUAL(sem_post(&ready), 0);
    while (!worker->ends)
        wait_once(worker);
    set_signals(SIG_BLOCK);
    TALLY(&worker->tally, state_is(worker->taken));
    return NULL;
}

static void look_at_end(void *argument)
{
    struct worker *worker = argument;
    TALLY(&worker->tally, state_is(worker->taken));
    wander(3);
    TALLY(&worker->tally, state_is(worker->taken));
}

static void *be_cancelled(void *argument)
{
    struct worker *worker = argument;
    if (worker->taken)
        state_take();
    pthread_cleanup_push(look_at_end, worker);
    CHECK_EQUAL(sem_post(&ready), 0);
    if (worker->way == CONDITION) // whose cancelled wait would take the mutex again
        pause();
    for (;;)
        wait_once(worker);
    pthread_cleanup_pop(0);
    return NULL;
}

static void wait_for(sem_t *semaphore, int times)
{
    for (; times > 0; times--)
        while (sem_wait(semaphore) != 0)
            CHECK_EQUAL(errno, EINTR);
}

static void start(struct worker *all, int count, int ways_used, void *(*body)(void *), pthread_t *threads)
{
    for (int i = 0; i < count; i++) {
        all[i].way = (enum way)(i % ways_used);
        all[i].taken = (i + i / ways_used) % 2;
        CHECK_EQUAL(pipe(all[i].pipe), 0);
        threads[i] = guest_start(body, &all[i]);
    }
    wait_for(&ready, count);
}

static void signal_all(const pthread_t *threads)
{
    for (int round = 0; round < SIGNALS; round++) {
        int number = round % 2 ? SIGUSR1 : SIGUSR2;
        for (int i = 0; i < THREADS; i++)
            CHECK_EQUAL(pthread_kill(threads[i], number), 0);
        wait_for(&handled, THREADS);
    }
    for (int round = 0; round < SIGNALS; round++) {
        CHECK_EQUAL(kill(getpid(), SIGUSR1), 0);
        wait_for(&handled, 1);
    }
}

static void end_all(const pthread_t *threads)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < THREADS; i++)
        workers[i].ends = true;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQUAL(write(workers[i].pipe[1], "e", 1), 1);
        if (workers[i].way == SEMAPHORE)
            CHECK_EQUAL(sem_post(&never), 0);
    }
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_t threads[THREADS], cancelled[VICTIMS];
    struct tally sum = {0}, mine = {0};
    char name[64];
    int skip = state_begin();
    if (skip != 0)
        return skip;
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    action.sa_flags |= SA_ONSTACK;
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&handled, 0, 0) == 0 && sem_init(&never, 0, 0) == 0);
    set_signals(SIG_BLOCK);
    wander_begin();

    start(workers, THREADS, WAYS, be_signalled, threads);
    signal_all(threads);
    end_all(threads);
    for (int i = 0; i < THREADS; i++) {
        snprintf(name, sizeof name, "worker %d (%s, %s)", i, ways[workers[i].way],
                 workers[i].taken ? "with" : "without");
        tally_print(name, &workers[i].tally);
        tally_add(&sum, &workers[i].handled);
    }
    tally_print("in handlers", &sum);

    start(victims, VICTIMS, 4, be_cancelled, cancelled);
    for (int i = 0; i < VICTIMS; i++) {
        CHECK_EQUAL(pthread_cancel(cancelled[i]), 0);
        CHECK(guest_join(cancelled[i]) == PTHREAD_CANCELED);
        snprintf(name, sizeof name, "cancelled %d (%s)", i, victims[i].taken ? "with" : "without");
        tally_print(name, &victims[i].tally);
    }
    TALLY(&mine, state_is(false));
    tally_print("main", &mine);
    return tally_success();
}
