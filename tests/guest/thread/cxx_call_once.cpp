// SPDX-License-Identifier: MIT
// Claims: std::call_once tries again after a call that threw, in one of the waiting threads, and calls no
// more after one that returned. (libstdc++ keeps the callable in a __thread variable meanwhile.)
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>
#include "guest.h"

static std::once_flag once;
static std::atomic<int> arrived{0}, thrown{0}, caught{0}, returned{0};

static void run(int count)
{
    arrived++;
    try {
        std::call_once(once, [count] {
            while (arrived < count)
                std::this_thread::yield();
            if (thrown < 5) {
                thrown++;
                std::this_thread::yield();
                throw 42;
            }
            std::this_thread::yield();
            returned++;
        });
        CHECK_EQUAL(returned, 1);
    } catch (int) {
        caught++;
    }
}

int main()
{
    if (!__GLIBC_PREREQ(2, 34)) {
        puts("std::call_once hangs behind an exception before glibc 2.34 (its bug 18435)");
        return 77;
    }
    const int count = 16;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++)
        threads.emplace_back(run, count);
    for (auto &thread : threads)
        thread.join();
    printf("thrown %d, caught %d, returned %d\n", thrown.load(), caught.load(), returned.load());
    CHECK_EQUAL(thrown, 5);
    CHECK_EQUAL(caught, 5);
    CHECK_EQUAL(returned, 1);
    return guest_success();
}
