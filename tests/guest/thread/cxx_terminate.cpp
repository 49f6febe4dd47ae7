// SPDX-License-Identifier: MIT
// Claims: an exception that nobody catches in a thread calls std::terminate there, with the exception still
// current, while other threads are blocked in handlers of their own. It happens in a forked child.
#include <exception>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include "guest.h"

static void on_terminate()
{
    try {
        std::rethrow_exception(std::current_exception());
    } catch (const std::runtime_error &error) {
        _exit(strcmp(error.what(), "nobody catches this") == 0 ? 17 : 18);
    }
}

[[noreturn]] static void child()
{
    pthread_barrier_t meeting;
    CHECK_EQUAL(pthread_barrier_init(&meeting, nullptr, 2), 0);
    std::set_terminate(on_terminate);
    std::thread other([&meeting] {
        try {
            throw std::runtime_error("caught");
        } catch (const std::runtime_error &) {
            pthread_barrier_wait(&meeting);
            pause();
        }
    });
    std::thread([&meeting] {
        pthread_barrier_wait(&meeting);
        throw std::runtime_error("nobody catches this");
    }).join();
    _exit(19);
}

int main()
{
    int status;
    std::thread([&status] {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            child();
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    }).join();
    CHECK_EQUAL(status, 17 << 8);
    return guest_success();
}
