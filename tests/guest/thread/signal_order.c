// SPDX-License-Identifier: MIT
// Claims: signals that are pending together are delivered as Linux does: lower numbers are taken first, equal
// real-time signals in the order of sending, standard ones once; without a mask between them the handler of
// the last runs first, with all blocked they run in turn. The same for sigwaitinfo.
#include <signal.h>
#include "guest.h"

static __thread char text[200];
static __thread int length;

static void handle(int number, siginfo_t *info, void *context)
{
    (void)context;
    length += snprintf(text + length, sizeof(text) - (size_t)length, " %d:%d",
                       number >= SIGRTMIN ? number - SIGRTMIN : -number,
                       info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
}

static void send_some(void)
{
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGRTMIN + 4, (union sigval){.sival_int = i}), 0);
        CHECK_EQUAL(pthread_sigqueue(pthread_self(), SIGRTMIN + 2, (union sigval){.sival_int = 10 + i}), 0);
        CHECK_EQUAL(pthread_kill(pthread_self(), SIGUSR1), 0);
        CHECK_EQUAL(pthread_kill(pthread_self(), SIGTERM), 0);
    }
}

static void *body(void *argument)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    static const int offsets[] = {SIGUSR1, SIGTERM, 0, 0};
    sigset_t set;
    siginfo_t info;

    (void)argument;
    sigemptyset(&set);
    for (int all = 0; all < 2; all++) {
        if (all)
            sigfillset(&action.sa_mask);
        for (int i = 0; i < 4; i++) {
            int number = offsets[i] ? offsets[i] : SIGRTMIN + 2 * (i - 1);
            sigaddset(&set, number);
            CHECK_EQUAL(sigaction(number, &action, NULL), 0);
        }
        CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
        length = 0;
        send_some();
        CHECK_EQUAL(length, 0);
        CHECK_EQUAL(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
        printf("%s:%s\n", all ? "all blocked" : "nested", text);
    }
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    send_some();
    printf("taken:");
    for (int i = 0; i < 8; i++) {
        int number = sigwaitinfo(&set, &info);
        printf(" %d:%d", number >= SIGRTMIN ? number - SIGRTMIN : -number,
               info.si_code == SI_QUEUE ? info.si_value.sival_int : -1);
    }
    puts("");
    CHECK_EQUAL(sigtimedwait(&set, &info, &(struct timespec){0, 0}), -1);
    CHECK_EQUAL(errno, EAGAIN);
    return NULL;
}

int main(void)
{
    guest_join(guest_start(body, NULL));
    return guest_success();
}
