// SPDX-License-Identifier: MIT
// Claims: thread_local objects are constructed once per thread that uses them, on first use if their
// initialiser is dynamic, and destroyed at the thread's end from last to first; both constructors and
// destructors may block.
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include "guest.h"

static std::atomic<int> constructed{0}, destroyed{0};
static std::mutex mutex;
static std::vector<std::string> logs;

struct tracked {
    std::string *log;
    char name;
    int value = 0;

    tracked(std::string *log, char name) : log(log), name(name)
    {
        std::this_thread::yield();
        constructed++;
        *log += name;
    }

    ~tracked()
    {
        std::this_thread::yield();
        destroyed++;
        *log += static_cast<char>(name - 'a' + 'A');
        if (name == 'a') { // the last one
            std::lock_guard<std::mutex> lock(mutex);
            std::this_thread::yield();
            logs.push_back(std::move(*log));
            delete log;
        }
    }
};

static thread_local std::string *own_log = new std::string;
static thread_local tracked first(own_log, 'a');

static tracked &second()
{
    static thread_local tracked object(own_log, 'b');
    return object;
}

int main()
{
    const int count = 24;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++)
        threads.emplace_back([i] {
            first.value = i;
            tracked *before = &second();
            for (int j = 0; j < 20; j++) {
                second().value++;
                std::this_thread::yield();
            }
            CHECK(&second() == before);
            CHECK_EQUAL(second().value, 20);
            CHECK_EQUAL(first.value, i);
        });
    for (auto &thread : threads)
        thread.join();
    std::thread([] {}).join(); // uses none, constructs none
    printf("constructed %d, destroyed %d\n", constructed.load(), destroyed.load());
    CHECK_EQUAL(constructed, 2 * count);
    CHECK_EQUAL(destroyed, 2 * count);
    for (const auto &log : logs)
        CHECK(log == "abBA");
    CHECK_EQUAL(logs.size(), count);
    return guest_success();
}
