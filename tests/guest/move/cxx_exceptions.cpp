// SPDX-License-Identifier: MIT
// Exceptions in flight over stops: while destructors run on the way up, in handlers that throw on, nested,
// and carried to another thread. std::uncaught_exceptions counts the thread's own all the time.
#include "move.h"
#include <exception>
#include <stdexcept>
#include <string>

namespace
{

struct stops_when_destroyed {
    struct mover *mover;
    int uncaught;
    ~stops_when_destroyed()
    {
        CHECK_EQUAL(std::uncaught_exceptions(), uncaught);
        move(mover);
        CHECK_EQUAL(std::uncaught_exceptions(), uncaught);
        try {
            throw 17;
        } catch (int value) {
            move(mover);
            CHECK_EQUAL(value, 17);
        }
    }
};

__attribute__((noinline)) void fail(struct mover *mover, int depth, const std::string &text)
{
    stops_when_destroyed guard{mover, 1};
    if (depth == 0)
        throw std::runtime_error(text);
    fail(mover, depth - 1, text);
}

std::exception_ptr caught(struct mover *mover, const std::string &text)
{
    try {
        try {
            fail(mover, 3, text);
        } catch (const std::runtime_error &error) {
            move(mover);
            CHECK(error.what() == text);
            throw;
        }
    } catch (const std::exception &error) {
        move(mover);
        CHECK(error.what() == text);
        try {
            throw std::logic_error("inner " + text);
        } catch (const std::logic_error &inner) {
            move(mover);
            CHECK(inner.what() == "inner " + text);
        }
        CHECK(error.what() == text);
        return std::current_exception();
    }
    return nullptr;
}

struct handed {
    std::exception_ptr exception;
    std::string text;
    int seed;
};

void *receiver(void *argument)
{
    auto *parcel = static_cast<handed *>(argument);
    struct mover mover = mover_begin(parcel->seed);
    try {
        std::rethrow_exception(parcel->exception);
    } catch (const std::runtime_error &error) {
        move(&mover);
        CHECK(error.what() == parcel->text);
    }
    mover_end(&mover);
    return nullptr;
}

void *body(void *index)
{
    int me = static_cast<int>(reinterpret_cast<intptr_t>(index));
    struct mover mover = mover_begin(me);
    for (int i = 0; i < MOVE_ROUNDS / 15; i++) {
        std::string text = "thread " + std::to_string(me) + " round " + std::to_string(i);
        handed parcel{caught(&mover, text), text, me + i};
        CHECK(parcel.exception != nullptr);
        guest_join(guest_start(receiver, &parcel));
        CHECK_EQUAL(std::uncaught_exceptions(), 0);
        CHECK(std::current_exception() == nullptr);
    }
    mover_end(&mover);
    return nullptr;
}

} // namespace

int main()
{
    guest_threads(MOVE_THREADS, body);
    puts("every exception arrived");
    return move_success();
}
