// SPDX-License-Identifier: MIT
// Claims: C++20's waiting works: atomic wait and notify, latch, barrier, counting_semaphore and jthread with
// its stop token. libstdc++ makes its own futex calls for these.
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <vector>
#include "guest.h"

static const int count = 8, rounds = 20;
static std::atomic<int> turn{0}, inside{0}, phases{0}, stopped{0};
static std::atomic<long> wide{0}; // not of a futex's size: waits by proxy
static std::latch all_started(count + 1);
static std::barrier phase(count, []() noexcept { phases++; });
static std::counting_semaphore<3> slots(3);

static void run(int me)
{
    all_started.arrive_and_wait();
    for (int target = me; target < rounds * count; target += count) {
        for (int now; (now = turn) != target;)
            turn.wait(now);
        turn++;
        turn.notify_all();
    }
    for (int round = 1; round <= rounds; round++) {
        phase.arrive_and_wait();
        CHECK_EQUAL(phases, 2 * round - 1);
        slots.acquire();
        CHECK(++inside <= 3);
        std::this_thread::yield();
        inside--;
        slots.release();
        phase.arrive_and_wait();
    }
    wide.wait(0);
    CHECK_EQUAL(wide, 7);
}

int main()
{
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < count; i++)
            threads.emplace_back(run, i);
        all_started.arrive_and_wait();
        wide = 7;
        wide.notify_all();
    }
    printf("turns %d, phases %d\n", turn.load(), phases.load());
    CHECK_EQUAL(turn, count * rounds);
    CHECK_EQUAL(phases, 2 * rounds);

    std::binary_semaphore never(0);
    auto start = std::chrono::steady_clock::now();
    CHECK(!never.try_acquire_for(std::chrono::milliseconds(10)));
    CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(10));

    std::mutex mutex;
    std::condition_variable_any changed;
    std::jthread worker([&](std::stop_token token) {
        std::unique_lock<std::mutex> lock(mutex);
        CHECK(!changed.wait(lock, token, [] { return false; }));
        stopped++;
    });
    worker.request_stop();
    worker.join();
    CHECK_EQUAL(stopped, 1);
    return guest_success();
}
