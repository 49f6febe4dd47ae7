// SPDX-License-Identifier: MIT
// Claims: std::thread runs callables with moved and referenced arguments, has distinct ids, and can be
// joined, detached and moved; this_thread::yield and sleep_for and sleep_until block no other and are never
// short.
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <thread>
#include <vector>
#include "guest.h"

using namespace std::chrono;

template <typename Clock> static void sleep_on()
{
    auto start = Clock::now();
    std::this_thread::sleep_for(milliseconds(2));
    CHECK(Clock::now() - start >= milliseconds(2));
    std::this_thread::sleep_until(start + milliseconds(5));
    CHECK(Clock::now() - start >= milliseconds(5));
    std::this_thread::yield();
}

int main()
{
    std::vector<std::thread> threads;
    std::vector<int> results(40);
    std::atomic<int> gone{0};

    for (int i = 0; i < 40; i++)
        threads.emplace_back(
            [](int &result, std::unique_ptr<int> value) {
                sleep_on<steady_clock>();
                sleep_on<system_clock>();
                result = *value * 2;
            },
            std::ref(results[i]), std::make_unique<int>(i));
    std::set<std::thread::id> ids{std::this_thread::get_id()};
    for (auto &thread : threads)
        CHECK(ids.insert(thread.get_id()).second);
    std::vector<std::thread> moved = std::move(threads);
    for (auto &thread : moved) {
        thread.join();
        CHECK(!thread.joinable());
    }
    int sum = 0;
    for (int i = 0; i < 40; i++)
        sum += results[i];

    for (int i = 0; i < 20; i++)
        std::thread([&gone] { gone++; }).detach();
    while (gone < 20)
        std::this_thread::yield();
    printf("sum: %d\n", sum);
    CHECK_EQUAL(sum, 40 * 39);
    return guest_success();
}
