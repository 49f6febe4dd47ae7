/* SPDX-License-Identifier: MIT */
/*
 * Writing slots and windows: the moment in which libc's code is not executable.
 *
 * It runs once, in a process with one kernel thread, with all signals blocked. The rules:
 *
 * 1. Between making libc's text writable and making it executable again, no function of libc may be called,
 *    nor a compiler's own memcpy or memset. So this file calls nothing but inline system calls, copies
 *    through volatile bytes, and has no undefined symbol but weft_slots (tests/site checks that).
 * 2. Never writable and executable at once. One mprotect covers a text from its first to its last
 *    touched page: fewer calls than page runs, the same mapping splits at most twice.
 * 3. The slots are written first. Nobody executes them yet, so a security policy that lets changed
 *    text not become executable again (SELinux's execmod) shows itself there, with nothing lost.
 * 4. When a text cannot be made writable, the ones before it are put back. When one cannot be made
 *    executable again, all original bytes are put back and it is tried once more; should that fail too, there
 * is no libc to go on with, and the process ends with one line.
 */
#include "site_internal.h"

#include <signal.h>
#include <sys/mman.h>

#include "../core/raw.h"

#define PAGE        4096ul
#define JUMP        0xe9
#define JUMP_LENGTH 5
#define TRAP        0xcc

static void put(uint8_t *to, uint8_t byte)
{
    *(volatile uint8_t *)to = byte;
}

static long protect(uintptr_t start, uintptr_t end, int protection)
{
    start &= ~(PAGE - 1);
    end = (end + PAGE - 1) & ~(PAGE - 1);
    return weft_raw3(SYS_mprotect, (long)start, (long)(end - start), protection);
}

static long protect_slots(const struct weft_site_workspace *workspace, int protection)
{
    uintptr_t start = (uintptr_t)weft_slots;
    return protect(start, start + workspace->slots_used * WEFT_SLOT_SIZE, protection);
}

static long write_slots(const struct weft_site_workspace *workspace)
{
    long error = protect_slots(workspace, PROT_READ | PROT_WRITE);
    if (error)
        return error;
    for (size_t slot = 0; slot < workspace->slots_used; slot++)
        for (size_t i = 0; i < WEFT_SLOT_SIZE; i++)
            put((uint8_t *)&weft_slots[slot] + i, workspace->images[slot][i]);
    return protect_slots(workspace, PROT_READ | PROT_EXEC);
}

/* Changes the protection of a text from its first window to its last. */
static long protect_text(const struct weft_site_table *table, unsigned text, int protection)
{
    uintptr_t start = UINTPTR_MAX, end = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct weft_site *site = &table->sites[i];
        if (site->text != text || site->fate != WEFT_SITE_REDIRECTED)
            continue;
        uintptr_t window = (uintptr_t)site->window;
        if (window < start)
            start = window;
        if (window + site->window_length > end)
            end = window + site->window_length;
    }
    return end ? protect(start, end, protection) : 0;
}

static void write_window(const struct weft_site *site)
{
    uintptr_t entry = (uintptr_t)site->slot + WEFT_SLOT_ENTER - site->before_length;
    uint32_t distance = (uint32_t)(entry - ((uintptr_t)site->window + JUMP_LENGTH));
    put(site->window, JUMP);
    for (unsigned i = 0; i < 4; i++)
        put(site->window + 1 + i, (uint8_t)(distance >> (8 * i)));
    for (unsigned i = JUMP_LENGTH; i < site->window_length; i++)
        put(site->window + i, TRAP);
}

static void restore_window(const struct weft_site *site)
{
    for (unsigned i = 0; i < site->window_length; i++)
        put(site->window + i, site->original[i]);
}

static void change_windows(const struct weft_site_table *table, void (*change)(const struct weft_site *))
{
    for (size_t i = 0; i < table->count; i++)
        if (table->sites[i].fate == WEFT_SITE_REDIRECTED)
            change(&table->sites[i]);
}

static void end_process(void)
{
    static const char line[] = "weft: libc's code cannot be made executable again\n";
    weft_raw3(SYS_write, 2, (long)line, sizeof(line) - 1);
    for (;;) {
        weft_raw2(SYS_kill, weft_raw0(SYS_getpid), SIGKILL);
        weft_raw1(SYS_exit_group, 127);
    }
}

static long write_windows(const struct weft_site_table *table)
{
    long error = 0;
    unsigned touched = 0;
    while (touched < table->text_count) {
        error = protect_text(table, touched++, PROT_READ | PROT_WRITE);
        if (error)
            goto executable; /* the last one too: mprotect can fail half-way */
    }
    change_windows(table, write_window);
    for (unsigned text = 0; text < table->text_count; text++) {
        error = protect_text(table, text, PROT_READ | PROT_EXEC);
        if (error)
            goto restore;
    }
    return 0;

restore:
    for (unsigned text = 0; text < table->text_count; text++)
        if (protect_text(table, text, PROT_READ | PROT_WRITE))
            end_process();
    change_windows(table, restore_window);
executable:
    while (touched-- > 0)
        if (protect_text(table, touched, PROT_READ | PROT_EXEC))
            end_process();
    return error;
}

int weft_sites_patch(struct weft_site_workspace *workspace)
{
    uint64_t all = ~0ul, mask;
    long error = weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&mask, sizeof(mask));
    if (error)
        return (int)error;
    error = write_slots(workspace);
    if (!error)
        error = write_windows(&workspace->table);
    weft_raw4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof(mask));
    return (int)error;
}
