// SPDX-License-Identifier: MIT
// Claims: an exception that one thread caught can be rethrown in others, in several at once, and lives until
// the last of them lets it go.
#include <atomic>
#include <exception>
#include <thread>
#include <vector>
#include "guest.h"

static std::atomic<int> alive{0};

struct failure {
    int value;

    explicit failure(int value) : value(value)
    {
        alive++;
    }

    failure(const failure &other) : value(other.value)
    {
        alive++;
    }

    ~failure()
    {
        alive--;
    }
};

int main()
{
    const int count = 10;
    pthread_barrier_t meeting;
    std::vector<std::exception_ptr> caught(count);
    std::vector<std::thread> threads;
    std::atomic<int> sum{0};

    for (int i = 0; i < count; i++)
        threads.emplace_back([&caught, i] {
            try {
                throw failure(i);
            } catch (...) {
                std::this_thread::yield();
                caught[i] = std::current_exception();
            }
        });
    for (auto &thread : threads)
        thread.join();
    CHECK_EQUAL(alive, count);

    threads.clear();
    CHECK_EQUAL(pthread_barrier_init(&meeting, nullptr, count), 0);
    for (int i = 0; i < count; i++)
        threads.emplace_back([&, i] {
            for (int j = 0; j < count; j++)
                try {
                    std::rethrow_exception(
                        caught[(i / 2 + j) % count]); // two threads have the same at a time
                } catch (const failure &error) {
                    pthread_barrier_wait(&meeting);
                    CHECK_EQUAL(error.value, (i / 2 + j) % count);
                    sum += error.value;
                }
        });
    for (auto &thread : threads)
        thread.join();
    printf("sum: %d\n", sum.load());
    CHECK_EQUAL(sum, count * count * (count - 1) / 2);
    caught.clear();
    CHECK_EQUAL(alive, 0);
    return guest_success();
}
