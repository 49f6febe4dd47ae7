/* SPDX-License-Identifier: MIT */
/*
 * Waits for several words (futex_waitv). The rules of futex.c hold; besides:
 *
 *  1. All buckets are locked, in the order of their addresses, before the first word is compared, and until
 *     the registers are stored: nobody finds the wait half begun.
 *  2. The wait stands in many lists, under as many locks, so being in a list is not enough of a claim: who
 *     holds one of the locks changes `claimed`, and whoever does so first ends the wait.
 *  3. He takes one waiter out. The others are taken out by the coroutine when it runs, before it does
 * anything else; until then whoever finds them passes them by.
 *
 * The memory is a slab's: what 128 words need is more than a hook may take of a stack.
 */
#include <errno.h>

#include "futex_internal.h"
#include "slab.h"

static struct weft_slab slab = WEFT_SLAB_OF(struct weft_futex_many);

struct weft_futex_many *weft_futex_many_take(void)
{
    return weft_slab_take(&slab);
}

void weft_futex_many_give(struct weft_futex_many *many)
{
    weft_slab_give(&slab, many);
}

struct weft_futex_word *weft_futex_many_words(struct weft_futex_many *many)
{
    return many->words;
}

/* The bucket of the word that is the n-th in the order of locking. */
static struct bucket *nth_bucket(const struct weft_futex_many *many, unsigned n)
{
    return bucket_of(many->words[many->order[n]].address);
}

static void put_in_order(struct weft_futex_many *many)
{
    for (unsigned i = 0; i < many->count; i++) {
        const struct bucket *bucket = bucket_of(many->words[i].address);
        unsigned place = i;
        for (; place > 0 && nth_bucket(many, place - 1) > bucket; place--)
            many->order[place] = many->order[place - 1];
        many->order[place] = (uint8_t)i;
    }
}

static void lock_all(const struct weft_futex_many *many)
{
    for (unsigned n = 0; n < many->count; n++)
        if (n == 0 || nth_bucket(many, n) != nth_bucket(many, n - 1))
            bucket_lock(nth_bucket(many, n));
}

/* The coroutine may run, but for its next look at a bucket that is still locked: `many` is not touched behind
 * the last release. */
static void unlock_all_after(void *argument)
{
    const struct weft_futex_many *many = argument;
    struct bucket *bucket = nth_bucket(many, 0);
    for (unsigned n = 1, count = many->count; n < count; n++) {
        struct bucket *next = nth_bucket(many, n);
        if (next != bucket)
            weft_lock_release(&bucket->lock);
        bucket = next;
    }
    weft_lock_release(&bucket->lock);
}

static bool all_have_their_values(const struct weft_futex_many *many)
{
    for (unsigned i = 0; i < many->count; i++)
        if (__atomic_load_n(many->words[i].address, __ATOMIC_SEQ_CST) != many->words[i].value)
            return false;
    return true;
}

static struct weft_futex_waiter *waiter_of(struct weft_futex_many *many, unsigned i)
{
    return i == 0 ? &many->coroutine->futex : &many->others[i];
}

static void insert_all(struct weft_futex_many *many)
{
    for (unsigned i = 0; i < many->count; i++) {
        struct weft_futex_waiter *waiter = waiter_of(many, i);
        if (i > 0)
            weft_list_init(&waiter->node);
        waiter->many = many;
        waiter->bitset = WEFT_FUTEX_ANY;
        weft_futex_insert(bucket_of(many->words[i].address), waiter, many->words[i].address);
    }
}

static void leave_all(struct weft_futex_many *many)
{
    for (unsigned i = 0; i < many->count; i++)
        weft_futex_leave(waiter_of(many, i), false);
}

static void count_all(const struct weft_futex_many *many, void (*count)(struct bucket *))
{
    for (unsigned i = 0; i < many->count; i++)
        count(bucket_of(many->words[i].address));
}

long weft_futex_wait_many(struct coroutine *self, struct weft_futex_many *many, unsigned count,
                          int64_t deadline)
{
    many->coroutine = self;
    many->count = count;
    atomic_store(&many->claimed, WEFT_FUTEX_UNCLAIMED);
    put_in_order(many);
    struct processor *processor = weft_core_enter(self);
    lock_all(many);
    weft_park_announce(self, deadline == WEFT_NEVER ? NULL : processor, weft_futex_abandon);
    weft_hint_set(self->state, WEFT_PARKED);
    count_all(many, weft_futex_count_in);
    long result = all_have_their_values(many) ? weft_deadline_start(self, processor, deadline) : -EAGAIN;
    if (result != 0) {
        count_all(many, weft_futex_count_out);
        unlock_all_after(many);
        weft_park_give_up(self);
    } else {
        insert_all(many);
        result = weft_park_announced(self, WEFT_REASON_FUTEX, unlock_all_after, many);
        leave_all(many);
        self->futex.many = NULL;
        if (result == 0)
            result = atomic_load(&many->claimed);
    }
    weft_core_leave(self);
    return result;
}

void weft_futex_forget_many(struct weft_futex_many *many)
{
    for (unsigned i = 1; i < many->count; i++)
        if (!weft_list_empty(&many->others[i].node))
            *bucket_of(many->others[i].address) = (struct bucket){0};
    weft_futex_many_give(many);
}
