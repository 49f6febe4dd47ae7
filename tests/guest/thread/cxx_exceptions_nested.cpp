// SPDX-License-Identifier: MIT
// Claims: the exceptions in flight belong to the thread: while every thread is blocked in the middle of
// unwinding, uncaught_exceptions() counts its own, be it none, one, or two nested ones.
#include <exception>
#include <thread>
#include <vector>
#include "guest.h"

static pthread_barrier_t meeting;

static void meet(int expected)
{
    CHECK_EQUAL(std::uncaught_exceptions(), expected);
    pthread_barrier_wait(&meeting);
    CHECK_EQUAL(std::uncaught_exceptions(), expected);
    std::this_thread::yield();
    CHECK_EQUAL(std::uncaught_exceptions(), expected);
}

struct on_unwind {
    int depth; // of further exceptions to throw and catch while unwinding
    int before;

    ~on_unwind()
    {
        if (depth == 0) {
            meet(before + 1);
            return;
        }
        try {
            on_unwind inner{depth - 1, before + 1};
            throw depth;
        } catch (int caught) {
            CHECK_EQUAL(caught, depth);
        }
        CHECK_EQUAL(std::uncaught_exceptions(), before + 1);
    }
};

static void run(int in_flight)
{
    for (int round = 0; round < 20; round++) {
        if (in_flight == 0) {
            meet(0);
            continue;
        }
        try {
            on_unwind outer{in_flight - 1, 0};
            throw 100;
        } catch (int caught) {
            CHECK_EQUAL(caught, 100);
        }
        CHECK_EQUAL(std::uncaught_exceptions(), 0);
    }
}

int main()
{
    const int count = 12;
    std::vector<std::thread> threads;
    CHECK_EQUAL(pthread_barrier_init(&meeting, nullptr, count), 0);
    for (int i = 0; i < count; i++)
        threads.emplace_back(run, i % 3);
    for (auto &thread : threads)
        thread.join();
    return guest_success();
}
