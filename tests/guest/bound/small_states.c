// SPDX-License-Identifier: MIT
// What else the kernel keeps for each thread: its personality, timer slack, memory policy, I/O priority,
// session keyring, ports, what becomes of it when its parent dies, when memory fails and when the processor
// speculates. For each of these some threads set a value of their own; every thread finds its own and, of
// what it has not set, what main has.
#include "bound.h"
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/io.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

enum { EACH = 2, PLAIN = 6, CHECKS = 40, PORT = 0x80 };
enum { IOPRIO_OF_PROCESS = 1, IDLE_IO = 3 << 13, BEST_EFFORT_IO = 2 << 13 };

// A value of a thread; what cannot be read counts as -errno.
static long result_of(long result)
{
    return result < 0 ? -errno : result;
}

static long get_personality(void)
{
    struct utsname system;
    long now = personality(0xffffffff);
    CHECK_EQUAL(uname(&system), 0);
    bool looks_old = strncmp(system.release, "2.6.", 4) == 0;
    return looks_old == ((now & UNAME26) != 0) ? now : -1;
}

static long set_personality(long value)
{
    long now = personality(0xffffffff) | value;
    return personality((unsigned long)now) < 0 ? -errno : now;
}

static long get_slack(void)
{
    return result_of(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
}

static long set_slack(long value)
{
    return prctl(PR_SET_TIMERSLACK, value, 0, 0, 0) < 0 ? -errno : value;
}

static long get_signal(void)
{
    int number = -1;
    return prctl(PR_GET_PDEATHSIG, &number, 0, 0, 0) < 0 ? -errno : number;
}

static long set_signal(long value)
{
    return prctl(PR_SET_PDEATHSIG, value, 0, 0, 0) < 0 ? -errno : value;
}

static long get_failure(void)
{
    return result_of(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
}

static long set_failure(long value)
{
    return prctl(PR_MCE_KILL, PR_MCE_KILL_SET, value, 0, 0) < 0 ? -errno : value;
}

static long get_io(void)
{
    return result_of(syscall(SYS_ioprio_get, IOPRIO_OF_PROCESS, 0));
}

static long set_io(long value)
{
    return syscall(SYS_ioprio_set, IOPRIO_OF_PROCESS, 0, value) < 0 ? -errno : value;
}

static long get_policy(void)
{
    int mode = -1;
    return syscall(SYS_get_mempolicy, &mode, NULL, 0L, NULL, 0L) < 0 ? -errno : mode;
}

static long set_policy(long value)
{
    unsigned long node_0[16] = {1};
    return syscall(SYS_set_mempolicy, value, node_0, 8 * sizeof node_0) < 0 ? -errno : value;
}

static long get_keyring(void)
{
    return result_of(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, (long)KEY_SPEC_SESSION_KEYRING, 0L));
}

// A new one, without a name.
static long set_keyring(long value)
{
    (void)value;
    return result_of(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

static long get_speculation(void)
{
    return result_of(prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0));
}

static long set_speculation(long value)
{
    if (prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, value, 0, 0) < 0)
        return -errno;
    return value | PR_SPEC_PRCTL;
}

static __thread sigjmp_buf behind_the_fault;
static __thread volatile bool fault_expected;

static void on_fault(int number)
{
    if (fault_expected)
        siglongjmp(behind_the_fault, 1);
    signal(number, SIG_DFL);
}

static long get_port(void)
{
    volatile long may = 0;
    if (sigsetjmp(behind_the_fault, 1) == 0) {
        fault_expected = true;
        inb(PORT);
        may = 1;
    }
    fault_expected = false;
    return may;
}

static long set_port(long value)
{
    return ioperm(PORT, 1, (int)value) < 0 ? -errno : value;
}

struct state {
    const char *name;
    long (*get)(void);
    long (*set)(long value); // returns what get is to return from now on, or -errno
    long values[EACH];
    bool inherited;
};

static const struct state states[] = {
    {"personality", get_personality, set_personality, {ADDR_NO_RANDOMIZE, UNAME26}, true},
    {"timer slack", get_slack, set_slack, {70001, 90002}, true},
    {"signal at the parent's death", get_signal, set_signal, {SIGURG, SIGWINCH}, false},
    {"failing memory", get_failure, set_failure, {PR_MCE_KILL_EARLY, PR_MCE_KILL_LATE}, true},
    {"I/O priority", get_io, set_io, {IDLE_IO, BEST_EFFORT_IO | 6}, true},
    {"memory policy", get_policy, set_policy, {MPOL_BIND, MPOL_INTERLEAVE}, true},
    {"session keyring", get_keyring, set_keyring, {0, 0}, true},
    {"speculation", get_speculation, set_speculation, {PR_SPEC_DISABLE, PR_SPEC_DISABLE}, true},
    {"ports", get_port, set_port, {1, 1}, true},
};
enum { STATES = sizeof states / sizeof *states, THREADS = STATES * EACH + PLAIN };

// By main.
static struct {
    bool here; // a thread may set it
    long outside;
    struct tally sum;
} found[STATES];

struct worker {
    int index;
    long expected[STATES];
    struct tally tallies[STATES];
};

static void look_often(struct worker *worker, int times)
{
    for (int i = 0; i < times; i++) {
        for (int s = 0; s < STATES; s++) {
            if (found[s].here)
                TALLY(&worker->tallies[s], states[s].get() == worker->expected[s]);
        }
        wander(2);
    }
}

static void *inherit(void *argument)
{
    look_often(argument, CHECKS / 2);
    return NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    int own = worker->index % STATES;
    bool plain = worker->index >= STATES * EACH || !found[own].here;
    look_often(worker, CHECKS / 4);
    if (!plain) {
        long value = states[own].set(states[own].values[worker->index / STATES]);
        CHECK(value >= 0);
        worker->expected[own] = value;
    }
    look_often(worker, CHECKS);
    struct worker heir = *worker;
    memset(heir.tallies, 0, sizeof heir.tallies);
    if (!plain && !states[own].inherited)
        heir.expected[own] = found[own].outside;
    pthread_t thread = guest_start(inherit, &heir);
    look_often(worker, CHECKS / 2);
    guest_join(thread);
    for (int s = 0; s < STATES; s++)
        tally_add(&worker->tallies[s], &heir.tallies[s]);
    return NULL;
}

static void *probe(void *index)
{
    const struct state *state = &states[(intptr_t)index];
    bool here = state->get() >= 0;
    for (int i = 0; i < EACH; i++)
        here = here && state->set(state->values[i]) >= 0;
    found[(intptr_t)index].here = here;
    return NULL;
}

int main(void)
{
    static struct worker workers[THREADS], mine;
    pthread_t threads[THREADS];
    CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
    for (int s = 0; s < STATES; s++) {
        guest_join(guest_start(probe, (void *)(intptr_t)s));
        mine.expected[s] = found[s].outside = states[s].get();
    }
    wander_begin();
    for (int i = 0; i < THREADS; i++) {
        workers[i] = mine;
        workers[i].index = i;
    }
    for (int i = 0; i < THREADS; i++)
        threads[i] = guest_start(work, &workers[i]);
    look_often(&mine, CHECKS);
    for (int i = 0; i < THREADS; i++)
        guest_join(threads[i]);
    look_often(&mine, 1);
    for (int s = 0; s < STATES; s++) {
        for (int i = 0; i < THREADS; i++)
            tally_add(&found[s].sum, &workers[i].tallies[s]);
        tally_add(&found[s].sum, &mine.tallies[s]);
        if (found[s].here)
            tally_print(states[s].name, &found[s].sum);
        else
            printf("%s: not here\n", states[s].name);
    }
    return tally_success();
}
