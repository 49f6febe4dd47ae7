/* SPDX-License-Identifier: MIT */
/*
 * Coroutine objects and their thread ids.
 *
 * A virtual id is FIRST_ID + (generation * INDICES + index + start) % IDS. It lies above the largest pid_max
 * (2^22), so no kernel thread ever has it, and below 2^30, so it fits FUTEX_TID_MASK. The index names the
 * object, which is reused at once; the generation keeps an id from coming back soon, as the kernel's do. The
 * start differs from process to process: glibc writes the owner's id into locks, and those in shared memory
 * are read by others, who must not find their own. (That two processes have the same id at a time is not
 * impossible, but of the order of 1 in a million for each pair of threads in the same generation.)
 *
 * An object keeps its index, so only the first time is a lock needed. Its slot in the table is written by
 * whoever takes it and gives it back; who looks there finds the object, or none, and an object may end at any
 * time after.
 */
#include "coroutine.h"

#include <stdatomic.h>
#include <stddef.h>

#include "check.h"
#include "hint.h"
#include "lock.h"
#include "processor.h"
#include "raw.h"
#include "slab.h"

enum {
    FIRST_ID = 1 << 22,
    INDICES = 1 << 21,
    GENERATIONS = ((1 << 30) - FIRST_ID) / INDICES,
    IDS = GENERATIONS * INDICES,
    SHORT_IDS = ((1 << 28) - FIRST_ID) / INDICES * INDICES,
    CHUNK = 1 << 12,
    LINE = 8,   /* slots of the table in a cache line */
    SPARES = 32 /* free objects of a processor */
};

__thread struct coroutine *weft_current __attribute__((tls_model("initial-exec")));

const char *const weft_reason_names[WEFT_REASONS] = {
    "none",    "processor", "yield",  "futex", "join",  "read",  "write",  "accept",
    "connect", "poll",      "select", "epoll", "sleep", "child", "signal",
};

static struct weft_slab slab = WEFT_SLAB_OF(struct coroutine);
static struct weft_lock lock;                             /* of who gets an index; see the rule above */
static struct coroutine **_Atomic table[INDICES / CHUNK]; /* by index; NULL: free or never used */
static _Atomic uint32_t indices_used;                     /* indices ever given out */
static struct coroutine *main_coroutine;
static uint32_t start; /* of this process's ids, below IDS; 0: not chosen yet */

static void choose_start(void)
{
    uint32_t scattered = (uint32_t)weft_raw0(SYS_getpid) * UINT32_C(2654435761); /* neighbours far apart */
    start = (uint32_t)((uint64_t)scattered * (IDS - 1) >> 32) + 1;
}

static struct coroutine **slot(uint32_t index)
{
    struct coroutine **chunk = atomic_load_explicit(&table[index / CHUNK], memory_order_acquire);
    if (!chunk)
        return NULL;
    /* Neighbours in different cache lines: they may be of different processors. (tools/gdb/weft.py knows.) */
    return &chunk[(index % CHUNK & ~(uint32_t)(LINE * LINE - 1)) | index % LINE * LINE | index / LINE % LINE];
}

/* A fresh object gets the next index for life. Returns false when ids or memory are used up. With the lock
 * held. */
static bool number(struct coroutine *coroutine)
{
    if (start == 0)
        choose_start();
    if (indices_used == INDICES)
        return false;
    uint32_t chunk = indices_used / CHUNK;
    if (!table[chunk]) {
        struct coroutine **fresh = weft_pages_map(CHUNK * sizeof *fresh);
        if (!fresh)
            return false;
        atomic_store_explicit(&table[chunk], fresh, memory_order_release);
    }
    coroutine->index = indices_used++;
    return true;
}

static inline void clear_words(struct coroutine *coroutine, size_t from, size_t to)
{
    typedef uint64_t __attribute__((may_alias)) word;
    for (size_t i = from / sizeof(word); i < to / sizeof(word); i++)
        if (*((word *)coroutine + i) != 0) /* most are: a new one's memory need not be written */
            __atomic_store_n((word *)coroutine + i, 0, __ATOMIC_RELAXED);
}

/* The monitor writes some of these of whom it takes to run, so they are not even read. */
static inline void clear_hints(struct coroutine *coroutine)
{
    typedef uint64_t __attribute__((may_alias)) word;
    __atomic_store_n((word *)&coroutine->in_hook, 0, __ATOMIC_RELAXED);
}

/* All but what outlives the coroutine. Word by word, since others may look at what they take for the former
 * one (its state, its priority) and find that it is gone. */
static void clear(struct coroutine *coroutine)
{
    enum {
        HINTS = offsetof(struct coroutine, in_hook), /* to kicked */
        HINTS_END = offsetof(struct coroutine, carrier),
        KEPT = offsetof(struct coroutine, interrupt_next), /* and interrupt_posted */
        KEPT_END = offsetof(struct coroutine, left_at),
        NUMBER = offsetof(struct coroutine, index), /* generation, signal_lock, signals_open */
        NUMBER_END = offsetof(struct coroutine, clear_child_tid),
    };
    _Static_assert(offsetof(struct coroutine, interrupt_posted) == KEPT + sizeof(void *) &&
                       KEPT_END == KEPT + 2 * sizeof(void *) && NUMBER_END - NUMBER == 2 * sizeof(uint64_t) &&
                       offsetof(struct coroutine, signals_open) < NUMBER_END &&
                       offsetof(struct coroutine, signals_open) > NUMBER,
                   "what is kept");
    _Static_assert(HINTS % 8 == 0 && HINTS_END == HINTS + sizeof(uint64_t), "one word");
    _Static_assert(KEPT % 8 == 0 && NUMBER % 8 == 0 && sizeof *coroutine % 8 == 0 && KEPT_END <= NUMBER,
                   "in words of its own");
    clear_words(coroutine, 0, HINTS);
    clear_hints(coroutine);
    clear_words(coroutine, HINTS_END, KEPT);
    clear_words(coroutine, KEPT_END, NUMBER);
    clear_words(coroutine, NUMBER_END, sizeof *coroutine);
}

static struct coroutine *take_object(struct processor *here)
{
    struct coroutine *spare = here ? here->spares : NULL;
    if (!spare)
        return weft_slab_take(&slab);
    here->spares = spare->next;
    here->spare_count--;
    return spare;
}

static void give_object(struct processor *here, struct coroutine *coroutine)
{
    if (!here || here->spare_count == SPARES) {
        weft_slab_give(&slab, coroutine);
        return;
    }
    coroutine->next = here->spares;
    here->spares = coroutine;
    here->spare_count++;
}

struct coroutine *weft_coroutine_take(struct processor *here, int tid)
{
    struct coroutine *coroutine = take_object(here);
    if (!coroutine)
        return NULL;
    if (coroutine->generation == 0) {
        weft_lock_acquire(&lock);
        bool numbered = number(coroutine);
        weft_lock_release(&lock);
        if (!numbered) {
            weft_slab_give(&slab, coroutine);
            return NULL;
        }
    }
    coroutine->generation = coroutine->generation % GENERATIONS + 1;
    uint32_t index = coroutine->index, generation = coroutine->generation;
    clear(coroutine);
    weft_hint_set(coroutine->tid,
                  tid ? tid : FIRST_ID + (int)(((generation - 1) * INDICES + index + start) % IDS));
    if (tid)
        main_coroutine = coroutine;
    weft_list_init(&coroutine->futex.node);
    __atomic_store_n(slot(index), coroutine, __ATOMIC_RELEASE); /* last: from here on others find it */
    return coroutine;
}

void weft_coroutine_give(struct processor *here, struct coroutine *coroutine)
{
    weft_check(coroutine->state == WEFT_DEAD);
    __atomic_store_n(slot(coroutine->index), NULL, __ATOMIC_RELAXED);
    if (coroutine == main_coroutine)
        main_coroutine = NULL;
    give_object(here, coroutine);
}

static struct coroutine *find_at(uint32_t index, int id, bool is_short)
{
    struct coroutine **place = slot(index);
    struct coroutine *coroutine = place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
    if (!coroutine)
        return NULL;
    int tid = __atomic_load_n(&coroutine->tid, __ATOMIC_RELAXED);
    return (is_short ? weft_coroutine_short_id(tid) : tid) == id ? coroutine : NULL;
}

struct coroutine *weft_coroutine_find(int tid)
{
    if (tid < FIRST_ID)
        return main_coroutine && main_coroutine->tid == tid && main_coroutine->state != WEFT_DEAD
                   ? main_coroutine
                   : NULL;
    return find_at(((uint32_t)(tid - FIRST_ID) + IDS - start) % IDS % INDICES, tid, false);
}

int weft_coroutine_short_id(int tid)
{
    return tid < FIRST_ID ? tid : FIRST_ID + (tid - FIRST_ID) % SHORT_IDS;
}

struct coroutine *weft_coroutine_find_short(int id)
{
    if (id < FIRST_ID)
        return weft_coroutine_find(id);
    return find_at(((uint32_t)(id - FIRST_ID) + IDS - start) % INDICES, id, true);
}

struct coroutine *weft_coroutine_search(bool (*function)(struct coroutine *, const void *argument),
                                        const void *argument)
{
    for (uint32_t index = 0; index < indices_used; index++) {
        struct coroutine *coroutine = __atomic_load_n(slot(index), __ATOMIC_ACQUIRE);
        if (coroutine && function(coroutine, argument))
            return coroutine;
    }
    return NULL;
}

void weft_coroutine_each(void (*function)(struct coroutine *, void *argument), void *argument)
{
    for (uint32_t index = 0; index < indices_used; index++) {
        struct coroutine *coroutine = __atomic_load_n(slot(index), __ATOMIC_ACQUIRE);
        if (coroutine)
            function(coroutine, argument);
    }
}

void weft_coroutines_restart(struct coroutine *self, int tid)
{
    lock = (struct weft_lock){0};
    main_coroutine = self;
    self->tid = tid;
    choose_start();
    for (unsigned i = 0; i < weft_processor_count; i++) /* they will be made anew */
        for (struct coroutine *spare; (spare = weft_processors[i].spares);) {
            weft_processors[i].spares = spare->next;
            weft_slab_give(&slab, spare);
        }
}

void weft_coroutine_bind(struct coroutine *coroutine, uintptr_t fs_base)
{
    ptrdiff_t offset = (char *)&weft_current - (char *)weft_fs_base();
    *(struct coroutine **)(fs_base + offset) = coroutine;
}
