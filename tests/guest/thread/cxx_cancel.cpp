// SPDX-License-Identifier: MIT
// Claims: cancelling a C++ thread in a blocking call unwinds it: destructors run, catch (...) sees it and
// rethrows, its thread_local objects are destroyed.
#include <atomic>
#include "guest.h"

static std::atomic<int> inside{0}, destroyed{0}, seen{0}, locals{0};

struct counted {
    std::atomic<int> &counter;

    ~counted()
    {
        counter++;
    }
};

static void *body(void *argument)
{
    static thread_local counted local{locals};
    counted object{destroyed};
    (void)local.counter;
    try {
        counted inner{destroyed};
        inside++;
        pause();
    } catch (...) {
        seen++;
        throw;
    }
    return argument;
}

int main()
{
    pthread_t threads[6];
    for (auto &thread : threads)
        thread = guest_start(body, nullptr);
    while (inside < 6)
        usleep(100);
    for (auto &thread : threads)
        CHECK_EQUAL(pthread_cancel(thread), 0);
    for (auto &thread : threads)
        CHECK(guest_join(thread) == PTHREAD_CANCELED);
    printf("destroyed %d, seen %d, thread-local %d\n", destroyed.load(), seen.load(), locals.load());
    CHECK(destroyed == 12 && seen == 6 && locals == 6);
    return guest_success();
}
