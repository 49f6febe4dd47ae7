// SPDX-License-Identifier: MIT
// Claims: the address at which the kernel clears a thread's id at its end is that thread's: prctl tells it,
// it holds the id, set_tid_address with what was told changes nothing, and the thread can be joined.
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "guest.h"

static void *body(void *index)
{
    int *address = NULL;
    CHECK_EQUAL(prctl(PR_GET_TID_ADDRESS, &address), 0);
    CHECK(address != NULL);
    CHECK(*address == gettid() || __GLIBC_PREREQ(2, 43)); // of which the word is another one
    CHECK_EQUAL(syscall(SYS_set_tid_address, NULL), gettid());
    CHECK_EQUAL(syscall(SYS_set_tid_address, address), gettid());
    int *again = NULL;
    CHECK_EQUAL(prctl(PR_GET_TID_ADDRESS, &again), 0);
    CHECK(again == address);
    return (void *)((intptr_t)index + 1);
}

int main(void)
{
    CHECK_EQUAL(guest_threads(20, body), 210);
    return guest_success();
}
