// SPDX-License-Identifier: MIT
// Claims: std::mutex, recursive_mutex, timed_mutex and condition_variable exclude, hand over and time out,
// never before their time.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>
#include "guest.h"

using namespace std::chrono;

static std::mutex mutex;
static std::recursive_mutex recursive;
static std::timed_mutex timed;
static std::condition_variable changed;
static std::condition_variable_any changed_any;
static int turn, counter;

static void take_turns(int me, int count)
{
    for (int i = 0; i < 30; i++) {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [me] { return turn == me; });
        turn = (me + 1) % count;
        changed.notify_all();
    }
    for (int i = 0; i < 30; i++) {
        std::lock_guard<std::recursive_mutex> outer(recursive);
        std::lock_guard<std::recursive_mutex> inner(recursive);
        int seen = counter;
        std::this_thread::yield();
        counter = seen + 1;
    }
}

static void time_out()
{
    auto start = steady_clock::now();
    CHECK(!timed.try_lock_for(milliseconds(5)));
    CHECK(steady_clock::now() - start >= milliseconds(5));
    auto deadline = system_clock::now() + milliseconds(5);
    CHECK(!timed.try_lock_until(deadline));
    CHECK(system_clock::now() >= deadline);

    std::unique_lock<std::mutex> lock(mutex);
    start = steady_clock::now();
    CHECK(!changed.wait_for(lock, milliseconds(5), [] { return false; }));
    CHECK(steady_clock::now() - start >= milliseconds(5));
    deadline = system_clock::now() + milliseconds(5);
    CHECK(!changed_any.wait_until(lock, deadline, [] { return false; }));
    CHECK(system_clock::now() >= deadline);
}

int main()
{
    const int count = 8;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++)
        threads.emplace_back(take_turns, i, count);
    for (auto &thread : threads)
        thread.join();
    printf("counter: %d, turn: %d\n", counter, turn);
    CHECK_EQUAL(counter, count * 30);

    threads.clear();
    timed.lock();
    for (int i = 0; i < count; i++)
        threads.emplace_back(time_out);
    for (auto &thread : threads)
        thread.join();
    timed.unlock();
    return guest_success();
}
