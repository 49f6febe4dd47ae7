// SPDX-License-Identifier: MIT
// For the programs in which threads with a state of their own do what all threads do. The state: a thread
// wants no new privileges, and where the program is root's, it is another user to the file system.
#ifndef GUEST_BOUND_STATE_H
#define GUEST_BOUND_STATE_H

#include "bound.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>

enum { STATE_USER = 65534, STATE_SKIP = 77 };

static bool state_of_root;

static inline bool state_promised(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

// At the beginning of main: 0, or the exit status of a program that cannot show anything.
static inline int state_begin(void)
{
    if (state_promised()) {
        puts("no thread may get new privileges here");
        return STATE_SKIP;
    }
    state_of_root = geteuid() == 0;
    if (state_of_root) {
        CHECK_EQUAL(chmod(".", 0755), 0);
        file_make("for-root", "", 0, 0, 0);
    }
    return 0;
}

// The calling thread's from now on, and of the threads that it creates.
static inline void state_take(void)
{
    CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (state_of_root)
        setfsuid(STATE_USER);
}

// Whether the calling thread has the state (or has it not) in all respects. May be called by a signal
// handler.
static inline bool state_is(bool taken)
{
    int error = errno;
    bool right = state_promised() == taken;
    if (right && state_of_root)
        right = open_error("for-root") == (taken ? EACCES : 0);
    errno = error;
    return right;
}

#endif
