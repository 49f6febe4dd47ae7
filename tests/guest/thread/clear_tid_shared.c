// SPDX-License-Identifier: MIT
// Claims: a thread's end clears the word that it has named by set_tid_address and wakes who waits for it,
// also when the word lies in memory that could be shared with others and is no thread id.
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include "guest.h"

enum { VALUE = 5 };

static uint32_t *word;
static int named;

static void *end_later(void *argument)
{
    syscall(SYS_set_tid_address, word);
    __atomic_store_n(&named, 1, __ATOMIC_SEQ_CST);
    usleep(20000);
    return argument;
}

int main(void)
{
    const struct timespec limit = {20, 0};
    pthread_t thread;
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(word != MAP_FAILED);
    *word = VALUE;
    CHECK_EQUAL(pthread_create(&thread, NULL, end_later, NULL), 0);
    CHECK_EQUAL(pthread_detach(thread), 0);
    while (!__atomic_load_n(&named, __ATOMIC_SEQ_CST))
        sched_yield();
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == VALUE)
        if (syscall(SYS_futex, word, FUTEX_WAIT, VALUE, &limit, NULL, 0) != 0)
            CHECK(errno == EAGAIN);
    CHECK_EQUAL(__atomic_load_n(word, __ATOMIC_SEQ_CST), 0);
    puts("cleared, woken");
    return guest_success();
}
