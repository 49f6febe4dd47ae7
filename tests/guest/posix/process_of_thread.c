// SPDX-License-Identifier: MIT
// Claims: calls about a process take the id of any of its threads, of one that waits too: its group, session,
// limits, memory and placement. The id of a thread that has ended means nobody.
#include <linux/kcmp.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "guest.h"

static pthread_mutex_t ending = PTHREAD_MUTEX_INITIALIZER;
static sem_t started;
static int sleeper;

static void *sleep_until_the_end(void *unused)
{
    sleeper = gettid();
    CHECK_EQUAL(sem_post(&started), 0);
    pthread_mutex_lock(&ending);
    pthread_mutex_unlock(&ending);
    return unused;
}

static void check(pid_t id)
{
    struct rlimit of_thread, of_process;
    char text[] = "text", copy[sizeof text];
    struct iovec from = {text, sizeof text}, to = {copy, sizeof copy};
    CHECK_EQUAL(getpgid(id), getpgid(0));
    CHECK_EQUAL(getsid(id), getsid(0));
    CHECK_EQUAL(prlimit(id, RLIMIT_NOFILE, NULL, &of_thread), 0);
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &of_process), 0);
    CHECK_EQUAL(of_thread.rlim_cur, of_process.rlim_cur);
    of_thread.rlim_cur--;
    CHECK_EQUAL(prlimit(id, RLIMIT_NOFILE, &of_thread, NULL), 0);
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &of_process), 0);
    CHECK_EQUAL(of_process.rlim_cur, of_thread.rlim_cur);
    if (process_vm_readv(id, &to, 1, &from, 1, 0) != -1)
        CHECK_EQUAL(strcmp(copy, text), 0);
    else
        CHECK(errno == ENOSYS || errno == EPERM); // the kernel has none of it, or a sandbox
    to.iov_base = memset(copy, 0, sizeof copy);
    if (process_vm_writev(id, &from, 1, &to, 1, 0) != -1)
        CHECK_EQUAL(strcmp(copy, text), 0);
    long same = syscall(SYS_kcmp, id, getpid(), KCMP_VM, 0, 0);
    CHECK(same == 0 || errno == ENOSYS || errno == EPERM);
    CHECK_EQUAL(syscall(SYS_kcmp, getpid(), id, KCMP_VM, 0, 0), same);
    void *page = text;
    int node = -1;
    CHECK(syscall(SYS_move_pages, id, 1, &page, NULL, &node, 0) == 0 || errno == ENOSYS || errno == EPERM);
}

static void *check_all(void *unused)
{
    check(gettid());
    check(getpid());
    check(sleeper);
    return unused;
}

static void *tell_id(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)gettid();
}

int main(void)
{
    CHECK_EQUAL(sem_init(&started, 0, 0), 0);
    pthread_mutex_lock(&ending);
    pthread_t waits = guest_start(sleep_until_the_end, NULL);
    CHECK_EQUAL(sem_wait(&started), 0);
    guest_join(guest_start(check_all, NULL));
    check(sleeper);
    pthread_mutex_unlock(&ending);
    guest_join(waits);

    pid_t ended = (pid_t)(intptr_t)guest_join(guest_start(tell_id, NULL));
    // The kernel forgets it some time after the join, and tells nobody when.
    while (getpgid(ended) != -1)
        sched_yield();
    CHECK_EQUAL(errno, ESRCH);
    CHECK_EQUAL(getsid(ended), -1);
    CHECK_EQUAL(prlimit(ended, RLIMIT_NOFILE, NULL, NULL), -1);
    return guest_success();
}
