// SPDX-License-Identifier: MIT
//
// As checked.c: libstdc++ can create threads, which does not mean that the program does.
#include <iostream>
#include <string>
#ifdef THREADS
#include <thread>
#endif

int main()
{
    std::string line;
#ifdef THREADS
    std::thread([&line] { line = "done"; }).join();
#endif
    std::cout << line << std::endl;
}
