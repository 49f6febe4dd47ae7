// SPDX-License-Identifier: MIT
// Claims: pthread_exit in a C++ thread unwinds it: the destructors of all its frames run, from the innermost
// out, and a catch (...) that rethrows sees it pass.
#include <string>
#include "guest.h"

struct noted {
    std::string &log;
    char name;

    ~noted()
    {
        usleep(1);
        log += name;
    }
};

// By a pointer, or the compiler takes the recursion for an endless one.
static void (*volatile leave)(void *) = pthread_exit;

static void descend(std::string &log, int depth)
{
    noted frame{log, static_cast<char>('0' + depth)};
    try {
        if (depth < 3)
            descend(log, depth + 1);
        else
            leave(&log);
    } catch (...) {
        log += '!';
        throw;
    }
}

static void *body(void *log)
{
    descend(*static_cast<std::string *>(log), 1);
    CHECK(!"control came back");
    return nullptr;
}

int main()
{
    std::string logs[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        threads[i] = guest_start(body, &logs[i]);
    for (int i = 0; i < 8; i++) {
        CHECK(guest_join(threads[i]) == &logs[i]);
        CHECK(logs[i] == "!3!2!1");
    }
    puts(logs[0].c_str());
    return guest_success();
}
