// SPDX-License-Identifier: MIT
/*
 * Unit tests of windows and relocation on synthetic code (synthetic.S), which is redirected once and then
 * executed: its calls must be counted by the test's weft_entry and have the results they had before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../preload/site_internal.h"
#include "wanted.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern unsigned long test_calls[600];
extern uint8_t synthetic_start[], synthetic_end[];

#define SYNTHETIC(name, ...)       \
    extern long name(__VA_ARGS__); \
    extern uint8_t name##_site[]

SYNTHETIC(mov_syscall, void);
SYNTHETIC(mov64_syscall, void);
SYNTHETIC(syscall_cmp, long);
SYNTHETIC(rex_mov, void);
SYNTHETIC(rip_before, long *);
SYNTHETIC(rip_after, long);
SYNTHETIC(retry_loop, long);
SYNTHETIC(jcc_after, long);
SYNTHETIC(jmp_after, long);
SYNTHETIC(jumped_into, long);
SYNTHETIC(cold_jump, long);
SYNTHETIC(fake_jump, void);
SYNTHETIC(jump_table, long);
SYNTHETIC(between_calls, void);
SYNTHETIC(cramped, void);
SYNTHETIC(neighbours, void);
SYNTHETIC(close_together, void);
SYNTHETIC(xor_number, void);
SYNTHETIC(after_endbr, void);
SYNTHETIC(cancel_arch, void *, long, long, long, long, long, long, long);
SYNTHETIC(like_vfork, void);
SYNTHETIC(registers, void);
SYNTHETIC(exit_loop_edx, void);
SYNTHETIC(exit_loop_r8d, void);
SYNTHETIC(exit_loop_constant, void);
SYNTHETIC(exit_loop_8b, void);
SYNTHETIC(no_site, void);
extern uint8_t neighbours_second_site[], close_together_second_site[];

static struct weft_site_workspace *with_decoder, *without_decoder;
static bool wanted[WANTED_COUNT];

static struct weft_site_workspace *choose(bool decoder)
{
    struct weft_site_workspace *workspace = weft_workspace_new();
    const char *reason = "";
    struct weft_text text;
    assert_non_null(workspace);
    if (decoder)
        assert_true(weft_decoder_open(&workspace->decoder));
    assert_int_equal(weft_text_find(synthetic_start, &text, &reason), 0);
    text.start = synthetic_start;
    text.end = synthetic_end;
    assert_int_equal(weft_sites_scan(workspace, &text, &reason), 0);
    assert_int_equal(weft_windows_choose(workspace, wanted, WANTED_COUNT, &reason), 0);
    return workspace;
}

static int redirect_synthetic_code(void **state)
{
    (void)state;
    memset(wanted, true, sizeof(wanted));
    without_decoder = choose(false);
    with_decoder = choose(true);
    return weft_sites_patch(with_decoder);
}

static int release(void **state)
{
    (void)state;
    weft_sites_release(&with_decoder->table);
    weft_sites_release(&without_decoder->table);
    return 0;
}

static const struct weft_site *find(const struct weft_site_workspace *workspace, const uint8_t *syscall)
{
    for (size_t i = 0; i < workspace->table.count; i++)
        if (workspace->table.sites[i].syscall == syscall)
            return &workspace->table.sites[i];
    return NULL;
}

static void assert_redirected(const uint8_t *syscall, enum weft_site_shape shape, int number, int before,
                              int after)
{
    const struct weft_site *site = find(with_decoder, syscall);
    assert_non_null(site);
    if (site->reason)
        print_message("%s\n", site->reason);
    assert_int_equal(site->fate, WEFT_SITE_REDIRECTED);
    assert_int_equal(site->shape, shape);
    assert_int_equal(site->number, number);
    assert_int_equal(site->before_length, before);
    assert_int_equal(site->after_length, after);
    assert_int_equal(site->window_length, before + 2 + after);
    assert_int_equal(*site->window, 0xe9);
    assert_ptr_equal(site->window + before, syscall);
    assert_ptr_equal(site->slot->site_next, syscall + 2);
    assert_ptr_equal(site->slot->back, site->window + site->window_length);
}

static void assert_refused(const struct weft_site_workspace *workspace, const uint8_t *syscall,
                           const char *reason)
{
    const struct weft_site *site = find(workspace, syscall);
    assert_non_null(site);
    assert_int_equal(site->fate, WEFT_SITE_REFUSED);
    assert_null(site->window);
    assert_non_null(strstr(site->reason, reason));
}

/* The call must return `result` and enter the kernel by way of weft_entry `times` times. */
#define assert_call(call, result, number, times)               \
    do {                                                       \
        unsigned long before_ = test_calls[number];            \
        assert_int_equal(call, result);                        \
        assert_int_equal(test_calls[number] - before_, times); \
    } while (0)

static void test_known_shapes_need_no_decoder(void **state)
{
    (void)state;
    assert_redirected(mov_syscall_site, WEFT_SITE_MOV_SYSCALL, 39, 5, 0);
    assert_redirected(mov64_syscall_site, WEFT_SITE_MOV_SYSCALL, 39, 7, 0);
    assert_redirected(syscall_cmp_site, WEFT_SITE_SYSCALL_CMP, -1, 0, 6);
    assert_int_equal(find(without_decoder, mov_syscall_site)->fate, WEFT_SITE_REDIRECTED);
    assert_int_equal(find(without_decoder, mov64_syscall_site)->fate, WEFT_SITE_REDIRECTED);
    assert_int_equal(find(without_decoder, syscall_cmp_site)->fate, WEFT_SITE_REDIRECTED);
    assert_call(mov_syscall(), getpid(), 39, 2);
    assert_call(mov64_syscall(), getpid(), 39, 1);
    assert_call(syscall_cmp(39), getpid(), 39, 1);
    assert_call(syscall_cmp(599), 0xffffffff, 599, 1);
}

static void test_a_rex_prefix_makes_another_register(void **state)
{
    (void)state;
    assert_redirected(rex_mov_site, WEFT_SITE_DECODED, 102, 6, 0);
    assert_call(rex_mov(), getuid(), 102, 1);
    assert_refused(without_decoder, rex_mov_site, "no decoder");
}

static void test_operands_relative_to_rip_are_relocated(void **state)
{
    (void)state;
    long pid = 0;
    assert_redirected(rip_before_site, WEFT_SITE_DECODED, 39, 7, 0);
    assert_call(rip_before(&pid), 1234, 39, 1);
    assert_int_equal(pid, getpid());
    assert_redirected(rip_after_site, WEFT_SITE_DECODED, -1, 0, 10);
    assert_call(rip_after(39), 1, 39, 1);
}

static void test_a_jump_to_the_syscall_moves_the_window_behind_it(void **state)
{
    (void)state;
    assert_redirected(retry_loop_site, WEFT_SITE_DECODED, -1, 0, 4);
    assert_call(retry_loop(39), getpid(), 39, 1);
    assert_redirected(cold_jump_site, WEFT_SITE_MOV_SYSCALL, 39, 0, 3);
    assert_call(cold_jump(39), getpid(), 39, 1);
    assert_call(cold_jump(102), getuid(), 102, 1);
}

static void test_jumps_behind_the_syscall_are_moved(void **state)
{
    (void)state;
    assert_redirected(jcc_after_site, WEFT_SITE_DECODED, -1, 0, 4);
    assert_call(jcc_after(39), 0, 39, 1);
    assert_call(jcc_after(599), 1, 599, 1);
    assert_redirected(jmp_after_site, WEFT_SITE_DECODED, -1, 0, 4);
    assert_call(jmp_after(39), getpid() + 1000, 39, 1);
}

static void test_a_window_that_jumps_enter_is_refused(void **state)
{
    (void)state;
    assert_refused(with_decoder, jumped_into_site, "a jump enters the window");
    assert_call(jumped_into(39), getpid(), 39, 0);
}

static void test_only_the_decoder_can_tell_a_jump_from_its_bytes(void **state)
{
    (void)state;
    assert_redirected(fake_jump_site, WEFT_SITE_MOV_SYSCALL, 39, 5, 0);
    assert_call(fake_jump(), getpid(), 39, 1);
    assert_refused(without_decoder, fake_jump_site, "may enter");
}

static void test_a_switch_case_at_the_syscall_is_seen(void **state)
{
    (void)state;
    assert_redirected(jump_table_site, WEFT_SITE_MOV_SYSCALL, 39, 0, 3);
    assert_call(jump_table(39), getpid(), 39, 1);
    assert_call(jump_table(102), getuid(), 102, 1);
}

static void test_calls_are_not_moved(void **state)
{
    (void)state;
    assert_redirected(between_calls_site, WEFT_SITE_DECODED, -1, 0, 4);
    assert_call(between_calls(), getpid(), 39, 1);
    assert_refused(with_decoder, cramped_site, "neighbours cannot be moved");
    assert_call(cramped(), getpid(), 39, 0);
    assert_redirected(after_endbr_site, WEFT_SITE_DECODED, -1, 0, 3);
}

static void test_windows_do_not_overlap(void **state)
{
    (void)state;
    assert_redirected(neighbours_site, WEFT_SITE_MOV_SYSCALL, 39, 5, 0);
    assert_redirected(neighbours_second_site, WEFT_SITE_MOV_SYSCALL, 102, 5, 0);
    assert_call(neighbours(), getpid() + getuid(), 39, 1);
    assert_redirected(close_together_site, WEFT_SITE_MOV_SYSCALL, 39, 5, 0);
    assert_refused(with_decoder, close_together_second_site, "neighbours cannot be moved");
}

static void test_numbers_are_followed_back(void **state)
{
    (void)state;
    assert_redirected(xor_number_site, WEFT_SITE_DECODED, 0, 5, 0);
    assert_call(xor_number(), -EBADF, 0, 1);
}

static void test_the_cancellable_system_call_of_new_glibcs(void **state)
{
    (void)state;
    int word = 0;
    char text[] = "ok";
    int ends[2];
    assert_redirected(cancel_arch_site, WEFT_SITE_DECODED, -1, 5, 0);
    assert_int_equal(pipe(ends), 0);
    assert_call(cancel_arch(&word, SYS_write, ends[1], (long)text, 2, 0, 0, 0), 2, SYS_write, 1);
    assert_call(cancel_arch(&word, SYS_read, ends[0], (long)text, 2, 0, 0, 0), 2, SYS_read, 1);
    close(ends[0]);
    close(ends[1]);
    void *page = (void *)cancel_arch(&word, SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(munmap(page, 4096), 0);
}

static void test_the_stack_may_be_used_on_both_sides(void **state)
{
    (void)state;
    assert_redirected(like_vfork_site, WEFT_SITE_MOV_SYSCALL, 39, 5, 0);
    assert_call(like_vfork(), getpid(), 39, 1);
}

static void test_registers_flags_and_red_zone_survive(void **state)
{
    (void)state;
    assert_redirected(registers_site, WEFT_SITE_MOV_SYSCALL, 39, 5, 0);
    assert_call(registers(), 0, 39, 1);
}

static void test_exit_loops_of_all_forms(void **state)
{
    (void)state;
    assert_redirected(exit_loop_edx_site, WEFT_SITE_EXIT_LOOP, 60, 4, 0);
    assert_redirected(exit_loop_r8d_site, WEFT_SITE_EXIT_LOOP, 60, 5, 0);
    assert_redirected(exit_loop_constant_site, WEFT_SITE_EXIT_LOOP, 60, 7, 0);
    assert_redirected(exit_loop_8b_site, WEFT_SITE_EXIT_LOOP, 60, 4, 0);
}

static void test_an_immediate_is_no_site(void **state)
{
    (void)state;
    assert_null(find(with_decoder, no_site_site));
    assert_refused(without_decoder, no_site_site, "no decoder");
}

static void test_slots_have_the_documented_layout(void **state)
{
    (void)state;
    static const uint8_t enter[] = {0x48, 0x8d, 0x64, 0x24, 0x80, 0xff, 0x35, 0x35, 0, 0, 0, 0xe8};
    static const uint8_t leave[] = {0x48, 0x8d, 0xa4, 0x24, 0x88, 0, 0, 0, 0xeb, 2, 0x0f, 0x05};
    const uint8_t *entry = NULL;
    for (size_t i = 0; i < WEFT_SLOT_COUNT; i++) {
        const uint8_t *slot =
            (const uint8_t *)find(with_decoder, mov_syscall_site)->slot + i * WEFT_SLOT_SIZE;
        int32_t distance;
        assert_memory_equal(slot + WEFT_SLOT_ENTER, enter, sizeof(enter));
        assert_memory_equal(slot + WEFT_SLOT_RETURN, leave, sizeof(leave));
        memcpy(&distance, slot + WEFT_SLOT_CALL + 1, sizeof(distance));
        if (i == 0)
            entry = slot + WEFT_SLOT_RETURN + distance;
        assert_ptr_equal(slot + WEFT_SLOT_RETURN + distance, entry);
    }
}

/*
 * Lets mprotect fail with EACCES when its third argument is `protection` and its first lies in [from, to).
 * The low halves of both addresses suffice: they lie close together.
 */
static void forbid_mprotect(uint32_t protection, uintptr_t from, uintptr_t to)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 7),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protection, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, (uint32_t)from),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)(to - from), 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(77);
}

/* In a child: redirecting libc must fail with EACCES and leave every byte of libc as it was, executable. */
static int redirect_under_filter(uint32_t protection, bool libc_only)
{
    pid_t child = fork();
    if (child == 0) {
        struct weft_site_table *table;
        const char *reason;
        if (weft_sites_find(&table, &weft_known_libc, &reason))
            _exit(1);
        const struct weft_text *text = &table->texts[0];
        size_t size = (size_t)(text->end - text->start);
        uint8_t *copy = malloc(size);
        memcpy(copy, text->start, size);
        uintptr_t slots = (uintptr_t)find(with_decoder, mov_syscall_site)->slot & -4096ul;
        if (libc_only)
            forbid_mprotect(protection, (uintptr_t)text->start, (uintptr_t)text->end);
        else
            forbid_mprotect(protection, slots, slots + sizeof(struct weft_slot) * WEFT_SLOT_COUNT);
        if (weft_sites_redirect(table, wanted, WANTED_COUNT, &reason) != -EACCES)
            _exit(2);
        if (memcmp(copy, text->start, size) != 0 || strstr(reason, "writable") == NULL)
            _exit(3);
        _exit(getppid() > 0 ? 0 : 4);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_text_that_must_stay_as_it_is_stays(void **state)
{
    (void)state;
    int status = redirect_under_filter(PROT_READ | PROT_WRITE, true);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
    assert_int_equal(redirect_under_filter(PROT_READ | PROT_EXEC, false), 0);
}

static void test_a_libc_that_stays_writable_ends_the_process(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct weft_site_table *table;
        const char *reason;
        close(STDERR_FILENO);
        if (weft_sites_find(&table, &weft_known_libc, &reason))
            _exit(1);
        forbid_mprotect(PROT_READ | PROT_EXEC, (uintptr_t)table->texts[0].start,
                        (uintptr_t)table->texts[0].end);
        weft_sites_redirect(table, wanted, WANTED_COUNT, &reason);
        _exit(2);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_shapes_need_no_decoder),
        cmocka_unit_test(test_a_rex_prefix_makes_another_register),
        cmocka_unit_test(test_operands_relative_to_rip_are_relocated),
        cmocka_unit_test(test_a_jump_to_the_syscall_moves_the_window_behind_it),
        cmocka_unit_test(test_jumps_behind_the_syscall_are_moved),
        cmocka_unit_test(test_a_window_that_jumps_enter_is_refused),
        cmocka_unit_test(test_only_the_decoder_can_tell_a_jump_from_its_bytes),
        cmocka_unit_test(test_a_switch_case_at_the_syscall_is_seen),
        cmocka_unit_test(test_calls_are_not_moved),
        cmocka_unit_test(test_windows_do_not_overlap),
        cmocka_unit_test(test_numbers_are_followed_back),
        cmocka_unit_test(test_the_cancellable_system_call_of_new_glibcs),
        cmocka_unit_test(test_the_stack_may_be_used_on_both_sides),
        cmocka_unit_test(test_registers_flags_and_red_zone_survive),
        cmocka_unit_test(test_exit_loops_of_all_forms),
        cmocka_unit_test(test_an_immediate_is_no_site),
        cmocka_unit_test(test_slots_have_the_documented_layout),
        cmocka_unit_test(test_text_that_must_stay_as_it_is_stays),
        cmocka_unit_test(test_a_libc_that_stays_writable_ends_the_process),
    };
    return cmocka_run_group_tests(tests, redirect_synthetic_code, release);
}
