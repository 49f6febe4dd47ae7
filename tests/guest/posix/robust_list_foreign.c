// SPDX-License-Identifier: MIT
// Claims: a thread may register a robust list of its own, and what it registers may be nonsense when the
// thread ends: zeroed, unmapped, pointing nowhere, or to itself for ever. Locks in front of the nonsense are
// released, and the thread can be joined.
#include <linux/futex.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "guest.h"

struct lock {
    struct robust_list link;
    uint32_t word;
};

static struct lock lock, pending;

static void use(struct robust_list_head *head)
{
    CHECK_EQUAL(syscall(SYS_set_robust_list, head, sizeof *head), 0);
}

static void *page(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    return page;
}

static void *zeroed(void *argument)
{
    use(page());
    return argument;
}

static void *unmapped(void *argument)
{
    void *memory = page();
    use(memory);
    CHECK_EQUAL(munmap(memory, 4096), 0);
    return argument;
}

// A list of one lock that is held, and then a link into nothing.
static void *broken_behind(void *argument)
{
    struct robust_list_head *head = page();
    void *nowhere = page();
    CHECK_EQUAL(munmap(nowhere, 4096), 0);
    head->futex_offset = offsetof(struct lock, word);
    head->list.next = &lock.link;
    lock.link.next = nowhere;
    lock.word = (uint32_t)gettid() | FUTEX_WAITERS;
    use(head);
    return argument;
}

// A list that never comes back to its head, and a lock that was about to be linked.
static void *circular(void *argument)
{
    struct robust_list_head *head = page();
    head->futex_offset = offsetof(struct lock, word);
    head->list.next = lock.link.next = &lock.link;
    head->list_op_pending = &pending.link;
    lock.word = pending.word = (uint32_t)gettid();
    use(head);
    return argument;
}

int main(void)
{
    void *(*const bodies[])(void *) = {zeroed, unmapped, broken_behind};
    for (size_t i = 0; i < 3; i++)
        CHECK(guest_join(guest_start(bodies[i], &lock)) == &lock);
    CHECK_EQUAL(lock.word, FUTEX_WAITERS | FUTEX_OWNER_DIED);
    for (int i = 0; i < 1000; i++)
        guest_join(guest_start(circular, NULL));
    CHECK_EQUAL(lock.word, FUTEX_OWNER_DIED);
    CHECK_EQUAL(pending.word, FUTEX_OWNER_DIED);
    return guest_success();
}
