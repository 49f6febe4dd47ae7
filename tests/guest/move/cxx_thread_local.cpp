// SPDX-License-Identifier: MIT
// thread_local objects: constructors that stop, destructors that stop and use other thread_local objects,
// each once for each thread and on its own object.
#include "move.h"
#include <atomic>
#include <string>
#include <vector>

namespace
{

std::atomic<int> constructed, destroyed;
thread_local int identity = -1;

struct tracked {
    const tracked *self;
    int owner;
    std::vector<std::string> words;
    struct mover mover;

    explicit tracked(int seed) : self(this), owner(identity), mover(mover_begin(seed + identity))
    {
        move(&mover);
        CHECK_EQUAL(owner, identity);
        constructed++;
    }
    ~tracked()
    {
        move(&mover);
        CHECK(self == this);
        CHECK_EQUAL(owner, identity);
        for (const std::string &word : words)
            CHECK(word == "word of thread " + std::to_string(owner));
        mover_end(&mover);
        destroyed++;
    }
};

thread_local tracked first{1};
thread_local tracked second{2};

tracked &in_function()
{
    static thread_local tracked third{3};
    return third;
}

void *body(void *index)
{
    identity = static_cast<int>(reinterpret_cast<intptr_t>(index));
    tracked *early = &second;
    for (int i = 0; i < MOVE_ROUNDS / 2; i++) {
        tracked &one = i % 2 ? first : in_function();
        one.words.push_back("word of thread " + std::to_string(identity));
        move(&early->mover);
        CHECK(early == &second && one.owner == identity && one.self == &one);
    }
    CHECK_EQUAL(first.words.size() + in_function().words.size(), MOVE_ROUNDS / 2);
    return nullptr;
}

} // namespace

int main()
{
    guest_threads(MOVE_THREADS, body);
    printf("%d constructed, %d destroyed\n", constructed.load(), destroyed.load());
    CHECK_EQUAL(constructed.load(), 3 * MOVE_THREADS);
    return move_success();
}
