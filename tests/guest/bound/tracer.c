// SPDX-License-Identifier: MIT
// A process is traced by one thread, and only that thread may look into it and let it go on. Two threads
// trace children that asked for it, two attach to children of main; each goes through many stops of its child
// with all kinds of waits between them, while other threads try and are told that there is no such process. A
// child goes with the thread that traces it, where that was wanted.
#include "inline_syscall.h"
#include "bound.h"
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

enum { TRACERS = 4, STRANGERS = 4, CALLS = 40, STEPS = 60, ENDED = 7, LONG = 60 };

static volatile long word, end; // of which each child has its own

struct tracee {
    int index;
    pid_t pid;    // published by the barrier
    int start[2]; // of a child that did not ask
    struct tally tally;
};

static struct tracee tracees[TRACERS];
static struct tally strangers[STRANGERS];
static pthread_barrier_t all_traced, all_refused;

__attribute__((noreturn)) static void live(void)
{
    alarm(LONG); // should nobody end it
    while (!end) {
        inline_syscall(SYS_getppid, 0, 0, 0, 0);
        word++;
    }
    _exit(ENDED);
}

static long trace(int request, const struct tracee *tracee, uintptr_t address, uintptr_t data)
{
    return ptrace((enum __ptrace_request)request, tracee->pid, address, data);
}

static long peek(const struct tracee *tracee, volatile long *address)
{
    errno = 0;
    long value = trace(PTRACE_PEEKDATA, tracee, (uintptr_t)address, 0);
    CHECK_EQUAL(errno, 0);
    return value;
}

static int wait_for(const struct tracee *tracee)
{
    int status;
    CHECK_EQUAL(waitpid(tracee->pid, &status, __WALL), tracee->pid);
    return status;
}

// Lets the child go on until a stop of the request's kind. Signals that are none of ours reach the child.
static void go_on(const struct tracee *tracee, int request)
{
    int wanted = request == PTRACE_SYSCALL ? SIGTRAP | 0x80 : SIGTRAP;
    for (int signal = 0;;) {
        CHECK_EQUAL(trace(request, tracee, 0, (uintptr_t)signal), 0);
        int status = wait_for(tracee);
        CHECK(WIFSTOPPED(status));
        if (WSTOPSIG(status) == wanted)
            break;
        signal = WSTOPSIG(status);
    }
}

static long user_word(const struct tracee *tracee, size_t offset)
{
    errno = 0;
    long value = trace(PTRACE_PEEKUSER, tracee, offset, 0);
    CHECK_EQUAL(errno, 0);
    return value;
}

// Until it enters (or has made) the call that it makes in its loop.
static long go_to_call(const struct tracee *tracee, bool enters)
{
    for (;;) {
        go_on(tracee, PTRACE_SYSCALL);
        long result = user_word(tracee, offsetof(struct user_regs_struct, rax));
        if (user_word(tracee, offsetof(struct user_regs_struct, orig_rax)) == SYS_getppid &&
            (result == -ENOSYS) == enters)
            return result;
    }
}

static void look_at(struct tracee *tracee)
{
    struct tally *tally = &tracee->tally;
    long first = -1, before, now;
    for (int i = 0; i < CALLS; i++) {
        go_to_call(tracee, true);
        if (first < 0)
            first = peek(tracee, &word);
        wander(1);
        TALLY(tally, peek(tracee, &word) == first + i);
        TALLY(tally, go_to_call(tracee, false) == getpid());
        wander(1);
        TALLY(tally, peek(tracee, &word) == first + i);
    }
    before = peek(tracee, &word);
    for (int i = 0; i < STEPS; i++) {
        go_on(tracee, PTRACE_SINGLESTEP);
        wander(1);
        now = peek(tracee, &word);
        TALLY(tally, now == before || now == before + 1);
        before = now;
    }
    TALLY(tally, before > first + CALLS);
}

static void ask_and_be_traced(struct tracee *tracee)
{
    tracee->pid = fork();
    CHECK(tracee->pid >= 0);
    if (tracee->pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
            _exit(1);
        live();
    }
    int status = wait_for(tracee);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    wander(5);
    CHECK_EQUAL(trace(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
}

static void attach(const struct tracee *tracee)
{
    CHECK_EQUAL(trace(PTRACE_SEIZE, tracee, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    wander(5);
    CHECK_EQUAL(trace(PTRACE_INTERRUPT, tracee, 0, 0), 0);
    int status = wait_for(tracee);
    CHECK(WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP);
    CHECK_EQUAL(write(tracee->start[1], "s", 1), 1);
}

static void *be_tracer(void *argument)
{
    struct tracee *tracee = argument;
    wander(tracee->index);
    if (tracee->index % 2 == 0)
        ask_and_be_traced(tracee);
    else
        attach(tracee);
    pthread_barrier_wait(&all_traced);
    look_at(tracee);
    pthread_barrier_wait(&all_refused);
    wander(3);
    if (tracee->index == TRACERS - 1)
        return NULL; // and the child with it
    CHECK_EQUAL(trace(PTRACE_POKEDATA, tracee, (uintptr_t)&end, 1), 0);
    wander(3);
    CHECK_EQUAL(trace(PTRACE_CONT, tracee, 0, 0), 0);
    int status = wait_for(tracee);
    TALLY(&tracee->tally, WIFEXITED(status) && WEXITSTATUS(status) == ENDED);
    return NULL;
}

static void *be_stranger(void *argument)
{
    struct tally *tally = argument;
    pthread_barrier_wait(&all_traced);
    for (int i = 0; i < 2 * CALLS; i++) {
        for (int child = 0; child < TRACERS; child++) {
            errno = 0;
            TALLY(tally,
                  trace(PTRACE_PEEKDATA, &tracees[child], (uintptr_t)&word, 0) == -1 && errno == ESRCH);
        }
        wander(1);
    }
    pthread_barrier_wait(&all_refused);
    return NULL;
}

static void fork_one_to_attach(struct tracee *tracee)
{
    char byte;
    CHECK_EQUAL(pipe2(tracee->start, O_CLOEXEC), 0);
    tracee->pid = fork();
    CHECK(tracee->pid >= 0);
    if (tracee->pid == 0) {
        if (read(tracee->start[0], &byte, 1) != 1)
            _exit(1);
        live();
    }
}

static void *try_tracing(void *allowed)
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        for (;;)
            pause();
    *(bool *)allowed = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
    CHECK_EQUAL(kill(pid, SIGKILL), 0);
    CHECK_EQUAL(waitpid(pid, &status, __WALL), pid);
    return NULL;
}

// The end of a child that was not told to end: false after a long time without.
static bool is_killed(pid_t pid)
{
    int status;
    for (int64_t last = guest_now(CLOCK_MONOTONIC) + 10 * GUEST_SECOND;;) {
        pid_t ended = waitpid(pid, &status, WNOHANG | __WALL);
        if (ended == pid)
            return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (ended < 0 || guest_now(CLOCK_MONOTONIC) > last)
            break;
        usleep(1000);
    }
    kill(pid, SIGKILL);
    return false;
}

int main(void)
{
    pthread_t threads[TRACERS], others[STRANGERS];
    bool allowed;
    char name[48];
    guest_join(guest_start(try_tracing, &allowed));
    if (!allowed) {
        puts("no tracing here");
        return 77;
    }
    CHECK_EQUAL(pthread_barrier_init(&all_traced, NULL, TRACERS + STRANGERS), 0);
    CHECK_EQUAL(pthread_barrier_init(&all_refused, NULL, TRACERS + STRANGERS), 0);
    wander_begin();
    for (int i = 0; i < TRACERS; i++) {
        tracees[i].index = i;
        if (i % 2)
            fork_one_to_attach(&tracees[i]);
        threads[i] = guest_start(be_tracer, &tracees[i]);
    }
    for (int i = 0; i < STRANGERS; i++)
        others[i] = guest_start(be_stranger, &strangers[i]);
    for (int i = 0; i < TRACERS; i++) {
        guest_join(threads[i]);
        if (i == TRACERS - 1)
            TALLY(&tracees[i].tally, is_killed(tracees[i].pid));
        snprintf(name, sizeof name, "tracer %d (%s)", i, i % 2 ? "attached" : "asked");
        tally_print(name, &tracees[i].tally);
    }
    for (int i = 0; i < STRANGERS; i++) {
        guest_join(others[i]);
        snprintf(name, sizeof name, "stranger %d", i);
        tally_print(name, &strangers[i]);
    }
    return tally_success();
}
