/* SPDX-License-Identifier: MIT */
/* Unit tests of hooks/signal_place.c: every place on the way from a site to its hook, and to the kernel. */
#include "unit.h"

#include <sys/mman.h>

#include "../../hooks/signal.h"
#include "../../preload/trampoline.h"

extern const char weft_entry[], weft_entry_begun[], weft_entry_to_slot[], weft_entry_dropped_one[],
    weft_entry_dropped_all[], weft_entry_end[];

static const uintptr_t site = 0x401000; /* the syscall instruction */
static struct weft_slot *const slot = &weft_slots[3];
static uintptr_t stack[64], *const site_rsp = &stack[40];

static uintptr_t in_slot(unsigned offset)
{
    return (uintptr_t)slot + offset;
}

/* With `depth` bytes of ours on the stack, is the place shown as (rip, the site's stack pointer)? */
static void assert_shown(uintptr_t at, unsigned depth, uintptr_t rip)
{
    ucontext_t context = {0};
    greg_t *registers = context.uc_mcontext.gregs;
    struct weft_shown shown;
    uintptr_t rsp = (uintptr_t)site_rsp - depth;
    registers[REG_RIP] = (greg_t)at;
    registers[REG_RSP] = (greg_t)rsp;
    registers[REG_RCX] = (greg_t)in_slot(WEFT_SLOT_RAW);
    weft_place_show(&shown, &context);
    assert_int_equal(registers[REG_RIP], rip);
    assert_int_equal(registers[REG_RSP], site_rsp);
    weft_place_restore(&shown, &context);
    assert_int_equal(registers[REG_RIP], at);
    assert_int_equal(registers[REG_RSP], rsp);
}

static void assert_left(uintptr_t at)
{
    assert_shown(at, 0, at);
}

static void test_displaced_instructions_stand_where_they_stood(void **state)
{
    (void)state;
    assert_shown(in_slot(WEFT_SLOT_ENTER - 5), 0, site - 5);
    assert_shown(in_slot(WEFT_SLOT_ENTER - 2), 0, site - 2);
}

static void test_a_slot_is_the_site(void **state)
{
    (void)state;
    assert_shown(in_slot(WEFT_SLOT_ENTER), 0, site);
    assert_shown(in_slot(WEFT_SLOT_PUSH), WEFT_SLOT_RED_ZONE, site);
    assert_shown(in_slot(WEFT_SLOT_CALL), WEFT_SLOT_FRAME, site);
    assert_shown(in_slot(WEFT_SLOT_RAW), 0, site);
}

static void test_the_entry_is_the_site_until_a_hook_begins(void **state)
{
    (void)state;
    assert_shown((uintptr_t)weft_entry, WEFT_SLOT_ENTRY_FRAME, site);
    assert_shown((uintptr_t)weft_entry_begun - 1, WEFT_SLOT_ENTRY_FRAME, site);
    assert_left((uintptr_t)weft_entry_begun);
}

static void test_the_way_to_the_kernel_is_the_site(void **state)
{
    (void)state;
    assert_left((uintptr_t)weft_entry_to_slot - 1);
    assert_shown((uintptr_t)weft_entry_to_slot, WEFT_SLOT_ENTRY_FRAME, site);
    assert_shown((uintptr_t)weft_entry_dropped_one, WEFT_SLOT_FRAME, site);
    assert_shown((uintptr_t)weft_entry_dropped_all - 1, WEFT_SLOT_FRAME, site);
    assert_shown((uintptr_t)weft_entry_dropped_all, 0, site);
    assert_left((uintptr_t)weft_entry_end);
}

static void test_what_lies_behind_the_call_is_left(void **state)
{
    (void)state;
    assert_left(in_slot(WEFT_SLOT_RETURN));
    assert_left(in_slot(WEFT_SLOT_SKIP));
    assert_left(in_slot(WEFT_SLOT_AFTER));
    assert_left((uintptr_t)weft_slots - 1);
    assert_left((uintptr_t)(weft_slots + WEFT_SLOT_COUNT));
    assert_left((uintptr_t)assert_left);
}

/* Where the program goes on when a handler has set this place. */
static uintptr_t after_setting(uintptr_t rip, uintptr_t rsp)
{
    ucontext_t context = {0};
    greg_t *registers = context.uc_mcontext.gregs;
    struct weft_shown shown;
    registers[REG_RIP] = (greg_t)in_slot(WEFT_SLOT_CALL);
    registers[REG_RSP] = (greg_t)site_rsp - WEFT_SLOT_FRAME;
    weft_place_show(&shown, &context);
    registers[REG_RIP] = (greg_t)rip;
    registers[REG_RSP] = (greg_t)rsp;
    weft_place_restore(&shown, &context);
    assert_int_equal(registers[REG_RSP], rsp);
    return (uintptr_t)registers[REG_RIP];
}

static void test_a_place_that_the_handler_changed_stays_changed(void **state)
{
    (void)state;
    assert_int_equal(after_setting(1234, (uintptr_t)site_rsp), 1234);
    assert_int_equal(after_setting(1234, (uintptr_t)stack), 1234);
}

static void test_a_handler_may_choose_the_call_or_what_lies_behind_it(void **state)
{
    (void)state;
    assert_int_equal(after_setting(site, (uintptr_t)stack), in_slot(WEFT_SLOT_ENTER));
    assert_int_equal(after_setting(site + 2, (uintptr_t)site_rsp), in_slot(WEFT_SLOT_AFTER));
    assert_int_equal(after_setting(site + 2, (uintptr_t)stack), in_slot(WEFT_SLOT_AFTER));
}

static int fill_slot(void **state)
{
    (void)state;
    if (mprotect(weft_slots, sizeof weft_slots, PROT_READ | PROT_WRITE) != 0)
        return -1;
    slot->site_next = (const uint8_t *)site + 2;
    site_rsp[-WEFT_SLOT_FRAME / (int)sizeof *stack] = site + 2;
    site_rsp[-WEFT_SLOT_ENTRY_FRAME / (int)sizeof *stack] = in_slot(WEFT_SLOT_RETURN);
    return mprotect(weft_slots, sizeof weft_slots, PROT_READ | PROT_EXEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_displaced_instructions_stand_where_they_stood),
        cmocka_unit_test(test_a_slot_is_the_site),
        cmocka_unit_test(test_the_entry_is_the_site_until_a_hook_begins),
        cmocka_unit_test(test_the_way_to_the_kernel_is_the_site),
        cmocka_unit_test(test_what_lies_behind_the_call_is_left),
        cmocka_unit_test(test_a_place_that_the_handler_changed_stays_changed),
        cmocka_unit_test(test_a_handler_may_choose_the_call_or_what_lies_behind_it),
    };
    return cmocka_run_group_tests(tests, fill_slot, NULL);
}
