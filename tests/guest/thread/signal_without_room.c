// SPDX-License-Identifier: MIT
// Claims: a thread that has hardly any stack left is not disturbed by other threads' signals. One of its own
// is handled on its alternate stack when the handler asks for that; else, as there is no room for the frame,
// it becomes SIGSEGV, which can be handled there, and ends the process otherwise. An alternate stack ends
// where it ends. (A thread with hardly any stack can call nothing, so who waits for it looks at counters from
// time to time.)
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "stack_end.h"

enum { LEFT = 1024, ALTERNATE = 64 << 10, STACK = 128 << 10, CRAMPED = 3, ALARMS = 100 };

static __thread char *low;
static __thread char *alternate;
static __thread sigjmp_buf place;
static atomic_int alarms, handled, cramped;
static atomic_long rounds;     // of one that computes
static atomic_bool done, stay; // stay: the handler on the alternate stack uses it up, and does not return

// Computes with LEFT bytes of stack. From here on nothing is called: it could need more.
__attribute__((noinline)) static void compute_cramped(void)
{
    volatile char room[256];
    room[0] = 0;
    if (room - low > LEFT + (long)sizeof room) {
        compute_cramped();
    } else {
        atomic_fetch_add(&cramped, 1);
        while (!atomic_load(&done))
            atomic_fetch_add(&rounds, 1);
    }
    room[1] = 1;
}

static bool on_alternate(const void *here)
{
    return alternate && (const char *)here >= alternate && (const char *)here < alternate + ALTERNATE;
}

static void on_alarm(int number)
{
    (void)number;
    atomic_fetch_add(&alarms, 1);
}

static void on_own(int number)
{
    char here;
    CHECK_EQUAL(number, SIGUSR2);
    CHECK(on_alternate(&here));
    if (atomic_load(&stay)) {
        low = alternate;
        compute_cramped();
    }
    atomic_fetch_add(&handled, 1);
}

static void on_impossible(int number)
{
    (void)number;
    CHECK(!"there is room for its frame");
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    CHECK(on_alternate(info));
    CHECK_EQUAL(info->si_code, SI_KERNEL);
    CHECK(info->si_addr == NULL);
    siglongjmp(place, 1);
}

static void *undisturbed(void *argument)
{
    sigset_t all;
    (void)argument;
    low = stack_lowest(STACK);
    sigfillset(&all);
    CHECK_EQUAL(pthread_sigmask(SIG_BLOCK, &all, NULL), 0);
    compute_cramped();
    return NULL;
}

static void *receiver(void *with_alternate)
{
    stack_t stack = {.ss_size = ALTERNATE};
    low = stack_lowest(STACK);
    if (with_alternate) {
        // Its second half: below it there is memory, too, but not for frames.
        alternate = stack.ss_sp = (char *)malloc(2 * ALTERNATE) + ALTERNATE;
        CHECK_EQUAL(sigaltstack(&stack, NULL), 0);
    }
    if (sigsetjmp(place, 1) == 0)
        compute_cramped();
    else
        CHECK(!atomic_load(&done));
    return NULL;
}

static pthread_t start_cramped(int count, void *(*body)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, STACK), 0);
    CHECK_EQUAL(pthread_create(&thread, &attributes, body, argument), 0);
    while (atomic_load(&cramped) < count)
        usleep(1000);
    return thread;
}

static void others_signals(void)
{
    const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    pthread_t threads[CRAMPED];
    for (int i = 0; i < CRAMPED; i++)
        threads[i] = start_cramped(i + 1, undisturbed, NULL);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
    while (atomic_load(&alarms) < ALARMS)
        usleep(1000);
    CHECK_EQUAL(setitimer(ITIMER_REAL, &never, NULL), 0);
    atomic_store(&done, true);
    for (int i = 0; i < CRAMPED; i++)
        guest_join(threads[i]);
    atomic_store(&cramped, 0);
    atomic_store(&done, false);
}

static void own_signals(void)
{
    pthread_t thread = start_cramped(1, receiver, &cramped);
    CHECK_EQUAL(pthread_kill(thread, SIGURG), 0); // ignored
    for (int i = 1; i <= 3; i++) {
        CHECK_EQUAL(pthread_kill(thread, SIGUSR2), 0);
        while (atomic_load(&handled) < i)
            usleep(1000);
        long before = atomic_load(&rounds); // then the handler has returned
        while (atomic_load(&rounds) < before + 2)
            usleep(1000);
    }
    CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
    guest_join(thread);
    atomic_store(&cramped, 0);
}

static void end_of_process(bool on_alternate_stack)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        atomic_store(&stay, on_alternate_stack);
        pthread_t thread = start_cramped(1, receiver, on_alternate_stack ? &cramped : NULL);
        if (on_alternate_stack) {
            CHECK_EQUAL(pthread_kill(thread, SIGUSR2), 0);
            while (atomic_load(&cramped) < 2)
                usleep(1000);
        }
        CHECK_EQUAL(pthread_kill(thread, SIGUSR1), 0);
        guest_join(thread);
        _exit(1);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGSEGV);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    CHECK_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
    action = (struct sigaction){.sa_handler = on_impossible};
    CHECK_EQUAL(sigaction(SIGUSR1, &action, NULL), 0);
    action = (struct sigaction){.sa_handler = on_own, .sa_flags = SA_ONSTACK};
    CHECK_EQUAL(sigaction(SIGUSR2, &action, NULL), 0);
    action = (struct sigaction){.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_EQUAL(sigaction(SIGSEGV, &action, NULL), 0);
    others_signals();
    own_signals();
    end_of_process(false);
    end_of_process(true);
    return guest_success();
}
