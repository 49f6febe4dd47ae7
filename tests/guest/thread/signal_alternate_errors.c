// SPDX-License-Identifier: MIT
// Claims: sigaltstack refuses wrong flags, stacks that are too small, and a change while a handler runs on
// it; a nested handler stays on it, also when it parks in between; SS_AUTODISARM takes it away for the time
// of the handler.
#include <signal.h>
#include "guest.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

enum { SIZE = 64 << 10 };
static __thread char *low;
static __thread volatile int nested_inside, disarmed;

static int on_it(void)
{
    char *here = (char *)__builtin_frame_address(0);
    return here >= low && here < low + SIZE;
}

static void handle(int number)
{
    stack_t now, other = {.ss_sp = low, .ss_size = SIZE};
    CHECK(on_it());
    CHECK_EQUAL(sigaltstack(NULL, &now), 0);
    if (now.ss_flags & SS_DISABLE) {
        disarmed++;
        return;
    }
    CHECK_EQUAL(now.ss_flags, SS_ONSTACK);
    CHECK_EQUAL(sigaltstack(&other, NULL), -1);
    CHECK_EQUAL(errno, EPERM);
    if (number == SIGUSR1) {
        usleep(200);
        CHECK_EQUAL(raise(SIGUSR2), 0);
        usleep(200);
        CHECK(on_it());
    } else {
        nested_inside++;
    }
}

static void *body(void *argument)
{
    stack_t stack = {.ss_size = SIZE}, now;

    low = stack.ss_sp = malloc(SIZE);
    stack.ss_flags = 77;
    CHECK_EQUAL(sigaltstack(&stack, NULL), -1);
    CHECK_EQUAL(errno, EINVAL);
    stack.ss_flags = 0;
    stack.ss_size = 100;
    CHECK_EQUAL(sigaltstack(&stack, NULL), -1);
    CHECK_EQUAL(errno, ENOMEM);
    CHECK_EQUAL(sigaltstack((stack_t *)16, NULL), -1);
    CHECK_EQUAL(errno, EFAULT);
    stack.ss_size = SIZE;
    CHECK_EQUAL(sigaltstack(&stack, &now), 0);
    CHECK_EQUAL(now.ss_flags, SS_DISABLE);
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(raise(SIGUSR1), 0);
        CHECK(!on_it());
    }
    CHECK_EQUAL(nested_inside, 10);
    stack.ss_flags = (int)SS_AUTODISARM;
    CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(disarmed, 1);
    CHECK_EQUAL(sigaltstack(NULL, &now), 0);
    CHECK(now.ss_sp == low && (unsigned)now.ss_flags == SS_AUTODISARM);
    return argument;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    guest_threads(5, body);
    return guest_success();
}
