// SPDX-License-Identifier: MIT
// Claims: std::shared_mutex admits readers together and writers alone; std::shared_timed_mutex times out, not
// early.
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>
#include "guest.h"

using namespace std::chrono;

static std::shared_mutex mutex;
static std::shared_timed_mutex timed;
static pthread_barrier_t inside;
static int first, second;

static void read_together()
{
    std::shared_lock<std::shared_mutex> lock(mutex);
    pthread_barrier_wait(&inside);
}

static void run(int me)
{
    for (int i = 0; i < 40; i++) {
        if (me % 4 == 0) {
            std::unique_lock<std::shared_mutex> lock(mutex);
            first++;
            std::this_thread::yield();
            second++;
        } else {
            std::shared_lock<std::shared_mutex> lock(mutex);
            int seen = first;
            std::this_thread::yield();
            CHECK_EQUAL(second, seen);
        }
    }
}

static void time_out(int me)
{
    auto start = steady_clock::now();
    bool locked = me % 2 ? timed.try_lock_for(milliseconds(10)) : timed.try_lock_shared_for(milliseconds(10));
    CHECK(!locked);
    CHECK(steady_clock::now() - start >= milliseconds(10));
}

template <typename Body> static void run_all(Body body)
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++)
        threads.emplace_back(body, i);
    for (auto &thread : threads)
        thread.join();
}

int main()
{
    CHECK_EQUAL(pthread_barrier_init(&inside, nullptr, 8), 0);
    run_all([](int) { read_together(); });
    run_all(run);
    printf("written: %d %d\n", first, second);
    CHECK_EQUAL(first, 80);
    timed.lock();
    run_all(time_out);
    timed.unlock();
    return guest_success();
}
