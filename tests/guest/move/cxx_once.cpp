// SPDX-License-Identifier: MIT
// std::call_once (which passes what to call through thread-local variables), pthread_once and function-local
// statics whose initialisers stop: each runs once, throwing ones again, and everybody sees the result.
#include "move.h"
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>

namespace
{

constexpr int ROUNDS = 20;
constexpr int failures = __GLIBC_PREREQ(2, 34) ? 4 : 1;

struct once_round {
    std::once_flag flag, failing;
    std::atomic<int> calls{0}, failures{0};
    std::string value;
};

once_round rounds[ROUNDS];
pthread_once_t plain = PTHREAD_ONCE_INIT;
std::atomic<int> plain_calls, static_calls;
thread_local struct mover mover;

void plain_once()
{
    move(&mover);
    plain_calls++;
}

struct slow_static {
    int value;
    slow_static()
    {
        move(&mover);
        value = 42 + static_calls++;
    }
};

int static_value()
{
    static slow_static object;
    return object.value;
}

void one_round(once_round &round, int number)
{
    std::call_once(
        round.flag,
        [&](int argument) {
            move(&mover);
            std::once_flag inner;
            std::call_once(inner, [&] { move(&mover); });
            round.value = "value " + std::to_string(argument);
            move(&mover);
            round.calls++;
        },
        number);
    CHECK_EQUAL(round.calls.load(), 1);
    CHECK(round.value == "value " + std::to_string(number));
    move(&mover);
    try {
        std::call_once(round.failing, [&] {
            move(&mover);
            // Before glibc 2.34 std::call_once hangs behind an exception (its bug 18435).
            if (++round.failures < failures)
                throw std::runtime_error("again");
        });
    } catch (const std::runtime_error &) {
        move(&mover);
    }
}

void *body(void *index)
{
    mover = mover_begin(static_cast<int>(reinterpret_cast<intptr_t>(index)));
    for (int i = 0; i < ROUNDS; i++) {
        one_round(rounds[i], i);
        CHECK_EQUAL(pthread_once(&plain, plain_once), 0);
        CHECK_EQUAL(static_value(), 42);
    }
    mover_end(&mover);
    return nullptr;
}

} // namespace

int main()
{
    guest_threads(MOVE_THREADS, body);
    for (const once_round &round : rounds)
        CHECK_EQUAL(round.failures.load(), failures);
    CHECK_EQUAL(plain_calls.load(), 1);
    CHECK_EQUAL(static_calls.load(), 1);
    printf("%d rounds\n", ROUNDS);
    return move_success();
}
