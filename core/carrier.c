/* SPDX-License-Identifier: MIT */
/*
 * Carriers.
 *
 * A carrier has a stack and a thread block of its own, mapped together:
 *
 *     ┌──────────────┬───────────────────────────────┬──────────────┬───────────────┐
 *     │ guard page   │ stack ◄── grows down          │ __thread     │ thread header │
 *     └──────────────┴───────────────────────────────┴──────────────┴───────────────┘
 *                                                                    ▲ fs_base
 * The thread block is not glibc's: it has just what compiled code expects at fixed places (its own address,
 * the stack protector's canary) and zeroed room for __thread variables, of which ours and those of
 * libev_system.c are used. So weft_current is NULL on a carrier, and nothing of libc that needs more may be
 * called there.
 *
 * They are used again when the kernel says, by CLONE_CHILD_CLEARTID, that their kernel thread is gone
 * (spare.h).
 */
#include "carrier.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"
#include "dispatch.h"
#include "global.h"
#include "hint.h"
#include "monitor.h"
#include "raw.h"
#include "slab.h"
#include "spare.h"
#include "visit.h"

enum { GUARD = 4096, STACK = 64 * 1024, HEADER = 4096 };

long weft_carrier_clone(unsigned long flags, void *stack, int *tid, void *fs_base, void (*entry)(void *),
                        void *argument); /* clone.S */

static struct weft_slab carriers = WEFT_SLAB_OF(struct carrier);
static atomic_uint carriers_alive = 1;
static _Atomic(struct carrier *) started;

static void prepare(struct carrier *carrier)
{
    carrier->begun = carrier->bound_ended = false;
    weft_hint_set(carrier->cpu, WEFT_ANYWHERE);
    weft_hint_set(carrier->bound, WEFT_UNBOUND);
    char *top = carrier->stack_top;
    weft_context_prepare(&carrier->context, top, carrier->context.fs_base, weft_dispatch, carrier);
}

struct carrier *weft_carrier_create(void)
{
    struct carrier *used = weft_spare_take_retired();
    if (used) {
        prepare(used);
        return used;
    }
    uintptr_t here = weft_fs_base();
    /* All our __thread variables lie in one block, of far less than a page, around weft_current. */
    size_t thread_room = (here - (uintptr_t)&weft_current + 2 * HEADER) & ~(size_t)(HEADER - 1);
    size_t size = GUARD + STACK + thread_room + HEADER;
    char *pages = weft_pages_map(size);
    struct carrier *carrier = weft_slab_take(&carriers);
    if (!pages || !carrier)
        return NULL;
    *carrier = (struct carrier){.kernel_mask = ~UINT64_C(0)};
    weft_raw3(SYS_mprotect, (long)pages, GUARD, PROT_NONE);
    char *fs_base = pages + size - HEADER;
    memcpy(fs_base, (void *)here, 64); /* canary and pointer guard stand in the first words */
    *(char **)fs_base = fs_base;
    *((char **)fs_base + 2) = fs_base;
    carrier->stack_top = fs_base - thread_room;
    carrier->context.fs_base = (uintptr_t)fs_base;
    weft_list_init(&carrier->spare_node);
    prepare(carrier);
    return carrier;
}

void weft_carrier_begin_signals(struct carrier *carrier)
{
    enum { SIZE = 64 * 1024 };
    void *pages = carrier->alternate.base ? (void *)carrier->alternate.base : weft_pages_map(SIZE);
    stack_t stack = {.ss_sp = pages, .ss_size = SIZE};
    if (pages && weft_raw2(SYS_sigaltstack, (long)&stack, 0) == 0)
        carrier->alternate = (struct weft_alternate){(uintptr_t)pages, SIZE, 0};
    carrier->begun = true;
    if (carrier->listed)
        return;
    carrier->listed = true;
    struct carrier *first = atomic_load(&started);
    do
        carrier->next_started = first;
    while (!atomic_compare_exchange_weak(&started, &first, carrier));
}

struct carrier *weft_carrier_first(void)
{
    return atomic_load(&started);
}

void weft_carriers_forget(struct carrier *carrier)
{
    carrier->next_started = NULL;
    atomic_store(&started, carrier);
    weft_spares_forget();
    weft_global_forget();
    atomic_store(&carriers_alive, 1);
}

struct carrier *weft_carrier_of(int tid)
{
    struct carrier *carrier = weft_carrier_first();
    while (carrier && __atomic_load_n(&carrier->tid, __ATOMIC_RELAXED) != tid)
        carrier = carrier->next_started;
    return carrier;
}

int weft_carrier_unbound_id(void)
{
    for (struct carrier *carrier = weft_carrier_first(); carrier; carrier = carrier->next_started) {
        int tid = __atomic_load_n(&carrier->tid, __ATOMIC_ACQUIRE);
        if (tid && !__atomic_load_n(&carrier->bound, __ATOMIC_RELAXED))
            return tid;
    }
    return 0;
}

unsigned weft_carrier_count(void)
{
    return atomic_load(&carriers_alive);
}

int64_t weft_carrier_cpu_time(const struct carrier *carrier)
{
    enum { PER_THREAD = 4, SCHEDULED = 2 }; /* how the kernel makes a clock's number of a thread's */
    struct timespec time;
    long clock = (long)(~(unsigned)carrier->tid) << 3 | PER_THREAD | SCHEDULED;
    if (weft_raw2(SYS_clock_gettime, (int)clock, (long)&time) != 0)
        return -1;
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int weft_carrier_clone_thread(struct carrier *carrier, void (*entry)(void *))
{
    unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                          CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    /* It begins with all signals blocked: none of the process's are for it. */
    uint64_t all = ~UINT64_C(0), before;
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all);
    weft_monitor_lend_slack(true);
    long result = weft_carrier_clone(flags, carrier->context.rsp, &carrier->tid,
                                     (void *)carrier->context.fs_base, entry, carrier);
    weft_monitor_lend_slack(false);
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
    return result < 0 ? (int)result : 0;
}

void weft_carrier_hold(struct processor *processor, uintptr_t owner)
{
    uintptr_t nobody = 0;
    for (unsigned round = 0; !atomic_compare_exchange_weak(&processor->owner, &nobody, owner); round++) {
        weft_check((nobody & ~WEFT_VISITED) == 0);
        nobody = 0;
        weft_visit_pause(round);
    }
}

int weft_carrier_employ(struct carrier *carrier)
{
    atomic_fetch_add(&carriers_alive, 1);
    int result = weft_carrier_clone_thread(carrier, weft_dispatch);
    if (result < 0)
        atomic_fetch_sub(&carriers_alive, 1);
    return result;
}

bool weft_carrier_is_first(const struct carrier *carrier)
{
    return carrier->tid == (int)weft_raw0(SYS_getpid);
}

void weft_carrier_exit(void)
{
    atomic_fetch_sub(&carriers_alive, 1);
    weft_raw1(SYS_exit, 0);
    __builtin_unreachable();
}

bool weft_carrier_has_children(void)
{
    siginfo_t info;
    return weft_raw5(SYS_waitid, P_ALL, 0, (long)&info, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD | __WALL,
                     0) != -ECHILD;
}
