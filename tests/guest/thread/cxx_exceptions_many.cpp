// SPDX-License-Identifier: MIT
// Claims: many threads can throw through several frames and catch at the same time, being blocked in
// destructors on the way and inside the handler; each catches its own exception.
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "guest.h"

static pthread_barrier_t meeting;

struct waiter {
    int &unwound;

    ~waiter()
    {
        std::this_thread::yield();
        unwound++;
    }
};

static void descend(int depth, int me, int &unwound)
{
    waiter on_frame{unwound};
    if (depth == 0)
        throw std::out_of_range("thread " + std::to_string(me));
    descend(depth - 1, me, unwound);
    CHECK(!"control came back");
}

static void run(int me)
{
    for (int round = 0; round < 8; round++) {
        int unwound = 0;
        try {
            pthread_barrier_wait(&meeting);
            descend(5, me, unwound);
        } catch (const std::logic_error &error) {
            std::string before = error.what();
            pthread_barrier_wait(&meeting); // all are in their handlers
            std::this_thread::yield();
            CHECK(before == error.what());
            CHECK(before == "thread " + std::to_string(me));
            try {
                throw; // the current exception is still ours
            } catch (const std::out_of_range &again) {
                CHECK(&again == &error);
            }
        }
        CHECK_EQUAL(unwound, 6);
        CHECK(std::current_exception() == nullptr);
    }
}

int main()
{
    const int count = 12;
    std::vector<std::thread> threads;
    CHECK_EQUAL(pthread_barrier_init(&meeting, nullptr, count), 0);
    for (int i = 0; i < count; i++)
        threads.emplace_back(run, i);
    for (auto &thread : threads)
        thread.join();
    return guest_success();
}
