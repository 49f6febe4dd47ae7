// SPDX-License-Identifier: MIT
/*
 * Redirects the installed libc, lists its sites, and then uses libc through the trampolines.
 *
 *     site_list [--all] [--quiet] [--native] [--search] [--no-decoder]
 *
 * --all wants every number, --native only lists, --search does as if libc were another one than weft was
 * built with, --no-decoder, too, and as if Zydis were not installed. Exits with 1 when weft could not work
 * here, with another status when libc does not work any more.
 */
#include "../../preload/site_internal.h"
#include "wanted.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

extern unsigned long test_calls[600];
extern int test_hook_number;
extern void (*test_hook)(void);

static bool wanted[WANTED_COUNT];

#define REQUIRE(condition)                                         \
    do {                                                           \
        if (!(condition)) {                                        \
            printf("FAILED: line %d: %s\n", __LINE__, #condition); \
            exit(2);                                               \
        }                                                          \
    } while (0)

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static void list(const struct weft_site_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct weft_site *site = &table->sites[i];
        printf("%8tx  %-28s %-12s %4d  %-10s", site->syscall - (uint8_t *)table->texts[site->text].start,
               weft_site_function(site), weft_site_shape_name(site->shape), site->number,
               weft_site_fate_name(site->fate));
        if (site->fate == WEFT_SITE_REDIRECTED)
            printf(" %2d+2+%d", site->before_length, site->after_length);
        printf(" %s\n", site->reason ? site->reason : "");
    }
}

static void count(const struct weft_site_table *table)
{
    size_t counts[4][3] = {{0}};
    for (size_t i = 0; i < table->count; i++)
        counts[table->sites[i].shape][table->sites[i].fate]++;
    printf("%-12s %10s %10s %10s\n", "", "redirected", "left", "refused");
    for (unsigned shape = 0; shape < 4; shape++)
        printf("%-12s %10zu %10zu %10zu\n", weft_site_shape_name(shape), counts[shape][0], counts[shape][1],
               counts[shape][2]);
    printf("%-12s %10zu %10zu %10zu of %zu\n", "all", table->redirected, table->left, table->refused,
           table->count);
}

/* What test_hook finds on its way up. */
static bool seen_read, seen_main;
static int frames;

static void walk(void)
{
    void *addresses[64];
    test_hook_number = -1; /* backtrace may read files */
    frames = backtrace(addresses, 64);
    for (int i = 0; i < frames; i++) {
        Dl_info info;
        if (!dladdr((char *)addresses[i] - 1, &info) || !info.dli_sname)
            continue;
        seen_read |= strstr(info.dli_sname, "read") != NULL;
        seen_main |= strcmp(info.dli_sname, "main") == 0;
    }
}

static __attribute__((noinline)) void unwind(void)
{
    int ends[2];
    char byte;
    void *warm_up[4];
    backtrace(warm_up, 4);
    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], "x", 1) == 1);
    test_hook = walk;
    test_hook_number = SYS_read;
    REQUIRE(read(ends[0], &byte, 1) == 1 && byte == 'x');
    printf("unwinding through a trampoline: %d frames, read %s, main %s\n", frames,
           seen_read ? "seen" : "missing", seen_main ? "seen" : "missing");
    REQUIRE(seen_read && seen_main);
    close(ends[0]);
    close(ends[1]);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;
static __thread int own;

static void *take_turns(void *argument)
{
    int side = (int)(intptr_t)argument;
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % 2 != side)
            pthread_cond_wait(&changed, &mutex);
        turn++;
        own++;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return (void *)(intptr_t)own;
}

static int c11_thread(void *argument)
{
    return *(int *)argument + 1;
}

/*
 * A call that no signal lets be made again. glibc 2.41 finds out about a cancellation by EINTR then; for
 * other calls it looks whether the interrupted place is its own, and here it is the test's weft_entry.
 */
static void *wait_for_cancel(void *argument)
{
    pause();
    return argument;
}

static void use_threads(void)
{
    pthread_t threads[2];
    void *result;
    for (int i = 0; i < 2; i++)
        REQUIRE(pthread_create(&threads[i], NULL, take_turns, (void *)(intptr_t)i) == 0);
    for (int i = 0; i < 2; i++)
        REQUIRE(pthread_join(threads[i], &result) == 0 && (intptr_t)result == 1000);
    REQUIRE(turn == 2000);

    thrd_t c11;
    int value = 41;
    REQUIRE(thrd_create(&c11, c11_thread, &value) == thrd_success);
    REQUIRE(thrd_join(c11, &value) == thrd_success && value == 42);

    REQUIRE(pthread_create(&threads[0], NULL, wait_for_cancel, NULL) == 0);
    usleep(10000);
    REQUIRE(pthread_cancel(threads[0]) == 0);
    REQUIRE(pthread_join(threads[0], &result) == 0 && result == PTHREAD_CANCELED);
}

static void use_processes(void)
{
    char line[64] = "";
    FILE *pipe = popen("echo through the trampolines", "r");
    REQUIRE(pipe && fgets(line, sizeof(line), pipe) && strcmp(line, "through the trampolines\n") == 0);
    REQUIRE(pclose(pipe) == 0);
    REQUIRE(system("exit 3") == 3 << 8);

    pid_t child = fork();
    if (child == 0)
        _exit(getpid() == getppid());
    int status;
    REQUIRE(child > 0 && waitpid(child, &status, 0) == child && status == 0);

    child = vfork();
    if (child == 0)
        _exit(7);
    REQUIRE(child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);

    char *arguments[] = {"true", NULL};
    REQUIRE(posix_spawnp(&child, "true", NULL, NULL, arguments, NULL) == 0);
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void use_files_and_signals(void)
{
    errno = 0;
    REQUIRE(read(-1, NULL, 0) == -1 && errno == EBADF);
    DIR *directory = opendir("/proc/self/fd");
    int entries = 0;
    REQUIRE(directory);
    while (readdir(directory))
        entries++;
    REQUIRE(entries >= 5 && closedir(directory) == 0);
    REQUIRE(getpid() == syscall(SYS_getpid));

    struct sigaction action = {.sa_handler = count_signal};
    sigset_t set, old;
    REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    REQUIRE(sigprocmask(SIG_BLOCK, &set, &old) == 0 && raise(SIGUSR1) == 0 && signals == 0);
    REQUIRE(sigsuspend(&old) == -1 && errno == EINTR && signals == 1);
    REQUIRE(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && raise(SIGUSR1) == 0 && signals == 2);
    struct timespec moment = {.tv_nsec = 1000};
    REQUIRE(nanosleep(&moment, NULL) == 0);

    void *large = malloc(1 << 22);
    REQUIRE(large);
    memset(large, 1, 1 << 22);
    free(large);
}

static bool option(int count, char **arguments, const char *name)
{
    for (int i = 1; i < count; i++)
        if (strcmp(arguments[i], name) == 0)
            return true;
    return false;
}

int main(int argument_count, char **arguments)
{
    bool quiet = option(argument_count, arguments, "--quiet");
    setvbuf(stdout, NULL, _IOLBF, 0);
    wanted_fill(wanted);
    if (option(argument_count, arguments, "--all"))
        memset(wanted, true, sizeof(wanted));

    static struct weft_decoder trial;
    double start = now();
    bool decoder = weft_decoder_open(&trial);
    double opened = now();
    weft_decoder_close(&trial);
    double closed = now();
    printf("Zydis %s: opening %.3f ms, closing %.3f ms\n", decoder ? "found" : "not found", opened - start,
           closed - opened);

    struct weft_site_table *table;
    const char *reason = "";
    bool no_decoder = option(argument_count, arguments, "--no-decoder");
    bool search = no_decoder || option(argument_count, arguments, "--search");
    start = now();
    int error = weft_sites_find(&table, search ? NULL : &weft_known_libc, &reason);
    double found = now();
    if (error) {
        printf("cannot find: %s: %s\n", reason, strerror(-error));
        return 1;
    }
    if (no_decoder)
        weft_decoder_close(&((struct weft_site_workspace *)table)->decoder);
    if (option(argument_count, arguments, "--native")) {
        list(table);
        return 0;
    }
    double before = now();
    error = weft_sites_redirect(table, wanted, WANTED_COUNT, &reason);
    double redirected = now();
    if (!quiet || error)
        list(table);
    count(table);
    printf("%s: find %.3f ms, redirect %.3f ms\n", table->known ? "known" : "searched", found - start,
           redirected - before);
    if (error) {
        printf("cannot redirect: %s: %s\n", reason, strerror(-error));
        return 1;
    }
    weft_sites_release(table);

    use_files_and_signals();
    unwind();
    use_threads();
    use_processes();
    static const short entered[] = {
        SYS_read,
        SYS_write,
        SYS_futex,
        SYS_clone,
#if __GLIBC_PREREQ(2, 34)
        SYS_clone3,
#endif
        SYS_exit,
        SYS_munmap,
        SYS_wait4,
        SYS_vfork,
        SYS_pipe2,
        SYS_close,
    };
    for (size_t i = 0; i < sizeof(entered) / sizeof(entered[0]); i++) {
        printf("%d:%lu ", entered[i], test_calls[entered[i]]);
        REQUIRE(test_calls[entered[i]] > 0);
    }
    printf("\nEXIT-SUCCESS\n");
    return 0;
}
