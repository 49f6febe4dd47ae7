/* SPDX-License-Identifier: MIT */
/*
 * Locks whose word names the owner: priority-inheritance locks, and what happens to the robust locks of a
 * thread that ends. The rules of futex.c hold; besides, the word of a priority-inheritance lock is only
 * changed with its bucket locked, but for glibc's own changes from 0 and to 0.
 */
#include "futex_internal.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

#include "raw.h"
#include "priority.h"

enum { ROBUST_LIMIT = 2048 };

long weft_futex_lock_pi(struct coroutine *self, uint32_t *address, int64_t deadline, bool try_only)
{
    struct bucket *bucket = bucket_of(address);
    struct processor *processor = weft_core_enter(self);
    uint32_t id = (uint32_t)self->tid;
    bucket_lock(bucket);
    uint32_t word = __atomic_load_n(address, __ATOMIC_SEQ_CST);
    long result;
    for (;;) {
        uint32_t owner = word & FUTEX_TID_MASK, desired;
        if (owner == id) {
            result = -EDEADLK;
            break;
        }
        if (owner == 0)
            desired = id | (word & (FUTEX_OWNER_DIED | FUTEX_WAITERS));
        else if (try_only) {
            result = -EAGAIN;
            break;
        } else
            desired = word | FUTEX_WAITERS;
        if (!__atomic_compare_exchange_n(address, &word, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        if (owner == 0) {
            result = 0;
            break;
        }
        /* The one who unlocks writes our id into the word before it readies us. */
        weft_futex_announce(self, processor, bucket, deadline);
        result =
            weft_futex_wait_in(self, processor, bucket, address, WEFT_FUTEX_ANY, deadline, WEFT_REASON_FUTEX);
        weft_core_leave(self);
        return result;
    }
    weft_lock_release(&bucket->lock);
    weft_core_leave(self);
    return result;
}

/* With the bucket locked: hands the word to its oldest waiter, or frees it. `died` is FUTEX_OWNER_DIED or 0;
 * *before becomes what the word was, which another process may have changed just now. */
static struct weft_futex_waiter *hand_over(struct bucket *bucket, uint32_t *address, uint32_t died,
                                           uint32_t *before)
{
    long count = 0;
    struct weft_futex_waiter *next = weft_futex_collect(bucket, address, 1, WEFT_FUTEX_ANY, &count);
    uint32_t word = died;
    if (next) {
        word |= (uint32_t)weft_futex_coroutine(next)->tid;
        if (weft_futex_group(bucket, address))
            word |= FUTEX_WAITERS;
    }
    *before = __atomic_exchange_n(address, word, __ATOMIC_SEQ_CST);
    return next;
}

long weft_futex_unlock_pi(struct coroutine *self, uint32_t *address)
{
    if ((__atomic_load_n(address, __ATOMIC_SEQ_CST) & FUTEX_TID_MASK) != (uint32_t)self->tid)
        return -EPERM;
    struct bucket *bucket = bucket_of(address);
    struct processor *processor = weft_core_enter(self);
    uint32_t before;
    bucket_lock(bucket);
    struct weft_futex_waiter *next = hand_over(bucket, address, 0, &before);
    weft_lock_release(&bucket->lock);
    weft_futex_ready_chain(processor, next);
    weft_priority_give_way(self, processor);
    weft_core_leave(self);
    return 0;
}

static void release_dead(struct coroutine *self, struct processor *here, uint32_t *address, bool pi)
{
    struct bucket *bucket = bucket_of(address);
    struct weft_futex_waiter *next = NULL;
    long woken = 0;
    bucket_lock(bucket);
    uint32_t word = __atomic_load_n(address, __ATOMIC_SEQ_CST);
    if ((word & FUTEX_TID_MASK) == (uint32_t)self->tid) {
        if (pi) {
            next = hand_over(bucket, address, FUTEX_OWNER_DIED, &word);
        } else {
            uint32_t dead;
            do
                dead = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
            while (!__atomic_compare_exchange_n(address, &word, dead, false, __ATOMIC_SEQ_CST,
                                                __ATOMIC_SEQ_CST));
            if (word & FUTEX_WAITERS)
                next = weft_futex_collect(bucket, address, 1, WEFT_FUTEX_ANY, &woken);
        }
    }
    weft_lock_release(&bucket->lock);
    weft_futex_ready_chain(here, next);
    if (word & FUTEX_WAITERS && !next) { /* they wait in the kernel: in another process, or see futex.h */
        weft_raw3(SYS_futex, (long)address, FUTEX_WAKE, 1);
        if (atomic_load(&weft_futexes_in_kernel))
            weft_raw3(SYS_futex, (long)address, FUTEX_WAKE_PRIVATE, 1);
    }
}

/* Reads the program's memory, which may not be there: a robust list is what the program made of it, and the
 * kernel just stops where it cannot go on. */
static bool read_user(void *to, const void *from, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)from, size};
    long result =
        weft_raw6(SYS_process_vm_readv, weft_raw0(SYS_getpid), (long)&local, 1, (long)&remote, 1, 0);
    if (result == -ENOSYS || result == -EPERM) { /* the kernel does not offer it: believe the program */
        memcpy(to, from, size);
        return true;
    }
    return result == (long)size;
}

/* Returns false where the kernel would stop. */
static bool release_link(struct coroutine *self, struct processor *here, uintptr_t link, long offset)
{
    uint32_t *address = (uint32_t *)((link & ~(uintptr_t)1) + (uintptr_t)offset), word;
    if (((uintptr_t)address & 3) || !read_user(&word, address, sizeof word))
        return false;
    /* The lowest bit of a link says that the lock is a priority-inheritance one (futex(2), robust lists). */
    release_dead(self, here, address, link & 1);
    return true;
}

void weft_futex_release_robust(struct coroutine *self, struct processor *here)
{
    enum { THREAD_BLOCK = 4096 };
    struct robust_list_head *list = self->robust_list, head;
    if (!list)
        return;
    /* glibc's own list lies in the thread block. It is nearly always empty. */
    if ((uintptr_t)list - self->context.fs_base < THREAD_BLOCK)
        head = *list;
    else if (!read_user(&head, list, sizeof head))
        return;
    uintptr_t entry = (uintptr_t)head.list.next, pending = (uintptr_t)head.list_op_pending, next;
    for (int count = 0; count < ROBUST_LIMIT && (entry & ~(uintptr_t)1) != (uintptr_t)&list->list; count++) {
        /* before the lock's next owner can relink it */
        bool known = read_user(&next, (void *)(entry & ~(uintptr_t)1), sizeof next);
        if (entry != pending && !release_link(self, here, entry, head.futex_offset))
            return;
        if (!known)
            return;
        if (next == entry)
            break; /* round and round, as in a copy of an empty list: the same again until the limit */
        entry = next;
    }
    if (pending)
        release_link(self, here, pending, head.futex_offset);
}
