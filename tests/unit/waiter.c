/* SPDX-License-Identifier: MIT */
#include "waiter.h"

char order[4096];
size_t length;
uint32_t word, other;
uint8_t next_priority;

int fresh(void **state)
{
    (void)state;
    length = 0;
    order[0] = 0;
    word = other = 0;
    return 0;
}

static void wait_and_note(void *argument)
{
    struct waiter *waiter = argument;
    waiter->waits = 1;
    waiter->result = weft_futex_wait(weft_current, waiter->address, 0, waiter->bitset, waiter->deadline,
                                     WEFT_REASON_FUTEX);
    order[length++] = waiter->name;
    order[length] = 0;
}

void start_waiter(struct waiter *waiter, char name, uint32_t *address, uint32_t bitset, int64_t deadline)
{
    *waiter = (struct waiter){
        .name = name, .address = address, .bitset = bitset, .deadline = deadline, .result = 99};
    waiter->priority = next_priority;
    task_prepare(&waiter->task, wait_and_note, waiter);
    waiter->task.coroutine->priority = waiter->priority;
    weft_ready(weft_core_enter(weft_current), waiter->task.coroutine, 0);
    weft_core_leave(weft_current);
    while (!waiter->waits)
        weft_yield(weft_current);
    if (deadline < weft_now() + 1000000)
        return;
    assert_int_equal(waiter->task.coroutine->state, WEFT_PARKED);
    assert_int_equal(waiter->task.coroutine->reason, WEFT_REASON_FUTEX);
}

void start_waiters(struct waiter *waiters, const char *names, uint32_t *address)
{
    for (size_t i = 0; names[i]; i++)
        start_waiter(&waiters[i], names[i], address, WEFT_FUTEX_ANY, WEFT_NEVER);
}

long wake(uint32_t *address, int count)
{
    return weft_futex_wake(weft_current, address, count, WEFT_FUTEX_ANY);
}

void join_all(struct waiter *waiters, size_t count, long result)
{
    for (size_t i = 0; i < count; i++) {
        task_join(&waiters[i].task);
        assert_int_equal(waiters[i].result, result);
    }
}

void yield_some(void)
{
    for (int i = 0; i < 10; i++)
        weft_yield(weft_current);
}

void lock_note_unlock(void *argument)
{
    struct owner *owner = argument;
    owner->tries = 1;
    owner->locked = weft_futex_lock_pi(weft_current, owner->lock, owner->deadline, owner->try_only);
    owner->word_when_held = *owner->lock;
    order[length++] = owner->name;
    order[length] = 0;
    if (owner->locked != 0)
        return;
    owner->holds = 1;
    weft_yield(weft_current);
    owner->unlocked = weft_futex_unlock_pi(weft_current, owner->lock);
}

void start_owner(struct owner *owner, char name, int64_t deadline, bool try_only)
{
    *owner = (struct owner){.name = name,
                            .lock = &word,
                            .deadline = deadline,
                            .try_only = try_only,
                            .locked = 99,
                            .unlocked = 99};
    task_start(&owner->task, lock_note_unlock, owner);
    while (!owner->tries)
        weft_yield(weft_current);
}
