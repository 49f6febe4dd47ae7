// SPDX-License-Identifier: MIT
// Claims: cancellation unwinds C++ frames in a wait for a condition variable (the lock is held again and
// released by its guard), a semaphore, a read and a sleep; destructors run in order, on
// the thread's own stack.
#include <atomic>
#include <vector>
#include <semaphore.h>
#include "guest.h"

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int empty[2];
static std::atomic<int> inside{0}, in_order{0}, locked{0};

struct counted {
    std::vector<int> &log;
    int id;

    ~counted()
    {
        log.push_back(id);
    }
};

struct holder {
    holder()
    {
        pthread_mutex_lock(&plain);
    }

    ~holder()
    {
        if (pthread_mutex_trylock(&plain) == EBUSY)
            locked++;
        pthread_mutex_unlock(&plain);
    }
};

struct reporter {
    std::vector<int> log{};

    ~reporter()
    {
        if (log == std::vector<int>{2, 1})
            in_order++;
    }
};

static void block(long way)
{
    char byte;
    switch (way) {
    case 0: {
        holder lock;
        inside++;
        for (;;)
            pthread_cond_wait(&never, &plain);
    }
    case 1:
        inside++;
        sem_wait(&semaphore);
        break;
    case 2:
        inside++;
        CHECK_EQUAL(read(empty[0], &byte, 1), 1);
        break;
    case 3:
        inside++;
        sleep(1000);
        break;
    }
}

static void *body(void *way)
{
    reporter last;
    counted first{last.log, 1};
    counted second{last.log, 2};
    block((long)(intptr_t)way);
    return nullptr;
}

int main()
{
    pthread_t threads[4];
    CHECK_EQUAL(sem_init(&semaphore, 0, 0), 0);
    CHECK_EQUAL(pipe(empty), 0);
    for (intptr_t i = 0; i < 4; i++)
        threads[i] = guest_start(body, (void *)i);
    while (inside < 4)
        usleep(100);
    for (auto &thread : threads)
        CHECK_EQUAL(pthread_cancel(thread), 0);
    for (auto &thread : threads)
        CHECK(guest_join(thread) == PTHREAD_CANCELED);
    printf("in order %d, locked %d\n", in_order.load(), locked.load());
    CHECK(in_order == 4 && locked == 1);
    return guest_success();
}
