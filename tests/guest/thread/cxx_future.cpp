// SPDX-License-Identifier: MIT
// Claims: std::async, promise, packaged_task and shared_future carry values and exceptions between threads,
// and waiting with a timeout times out, not early.
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "guest.h"

using namespace std::chrono;

int main()
{
    std::vector<std::future<int>> squares;
    for (int i = 0; i < 30; i++)
        squares.push_back(std::async(std::launch::async, [i] { return i * i; }));
    int sum = 0;
    for (auto &square : squares)
        sum += square.get();
    printf("squares: %d\n", sum);

    std::promise<int> promise;
    std::shared_future<int> shared = promise.get_future().share();
    auto start = steady_clock::now();
    CHECK(shared.wait_for(milliseconds(10)) == std::future_status::timeout);
    CHECK(steady_clock::now() - start >= milliseconds(10));
    std::vector<std::future<int>> waiters;
    for (int i = 0; i < 20; i++)
        waiters.push_back(std::async(std::launch::async, [shared, i] { return shared.get() + i; }));
    CHECK(waiters[0].wait_for(seconds(0)) == std::future_status::timeout);
    promise.set_value(1000);
    sum = 0;
    for (auto &waiter : waiters)
        sum += waiter.get();
    printf("waiters: %d\n", sum);

    auto thrower =
        std::async(std::launch::async, []() -> int { throw std::runtime_error("from another thread"); });
    try {
        thrower.get();
        CHECK(!"no exception");
    } catch (const std::runtime_error &error) {
        puts(error.what());
    }

    std::packaged_task<std::string(int)> task([](int value) { return std::to_string(value); });
    auto text = task.get_future();
    std::thread(std::move(task), 42).join();
    CHECK(text.wait_for(seconds(0)) == std::future_status::ready);
    puts(text.get().c_str());

    std::future<void> broken;
    std::thread([&broken] { broken = std::promise<void>().get_future(); }).join();
    try {
        broken.get();
        CHECK(!"no exception");
    } catch (const std::future_error &error) {
        CHECK(error.code() == std::future_errc::broken_promise);
    }

    std::promise<void> at_exit;
    auto exited = at_exit.get_future();
    std::thread([&at_exit] { at_exit.set_value_at_thread_exit(); }).join();
    CHECK(exited.wait_for(seconds(0)) == std::future_status::ready);
    return guest_success();
}
