// SPDX-License-Identifier: MIT
// Claims: a function's static object is constructed once although many threads arrive together and the
// constructor blocks; when it throws, another thread tries. (libstdc++ waits by syscall(SYS_futex).)
#include <atomic>
#include <thread>
#include <vector>
#include "guest.h"

static const int count = 16;
static std::atomic<int> arrived{0}, attempts{0}, caught{0};

struct slow {
    int value;

    slow()
    {
        while (arrived < count)
            std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (++attempts <= 3)
            throw attempts.load();
        value = 99;
    }
};

static slow &instance()
{
    static slow object;
    return object;
}

int main()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++)
        threads.emplace_back([] {
            arrived++;
            try {
                CHECK_EQUAL(instance().value, 99);
            } catch (int) {
                caught++;
            }
        });
    for (auto &thread : threads)
        thread.join();
    printf("attempts %d, caught %d\n", attempts.load(), caught.load());
    CHECK_EQUAL(attempts, 4);
    CHECK_EQUAL(caught, 3);
    return guest_success();
}
