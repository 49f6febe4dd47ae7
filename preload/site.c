/* SPDX-License-Identifier: MIT */
/*
 * Finding libc's sites, and what makes a table fit for use.
 *
 * 1. libc is the object that contains a known function of libc, whatever its file is called. Before glibc
 *    2.34 it had parts (see below). One that weft was built with needs no search (site_known.c).
 * 2. One pass over the text finds the syscall instructions, a second one all long jumps and calls that end
 *    near one of them, from wherever in the text: a function's cold part jumps back into its hot part.
 *    Both take every byte for a possible opcode. A window that such a byte sequence would enter is looked
 *    at again with the decoder (site_window.c); a site that it made up is dropped here.
 * 3. The shapes that most sites have are known by their bytes alone. A REX prefix before them could make
 *    `mov $N,%eax` a `mov $N,%r8d`, so such sites go the long way.
 * 4. Sites without which threads would escape weft are mandatory (check_mandatory).
 */
#include "site_internal.h"

#include <dlfcn.h>
#include <emmintrin.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../core/raw.h"

#define NUMBER_LIMIT     600
#define SITE_EXIT_BEFORE 12 /* bytes that an exit loop may have before its syscall */

struct weft_site_workspace *weft_workspace_new(void)
{
    long address = weft_raw6(SYS_mmap, 0, sizeof(struct weft_site_workspace), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return address < 0 && address > -4096 ? NULL : (struct weft_site_workspace *)address;
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* again: (xor %edi,%edi | mov %r,%eax | mov $60,%eax)... ; syscall ; jmp again */
static bool is_exit_loop(const struct weft_text *text, const uint8_t *syscall)
{
    if (syscall + 4 > text->end || syscall[2] != 0xeb)
        return false;
    const uint8_t *at = syscall + 4 + (int8_t)syscall[3];
    if (at >= syscall || syscall - at > SITE_EXIT_BEFORE || at < text->start)
        return false;
    bool clears = false, sets = false;
    while (at < syscall) {
        if (at[0] == 0xb8 && load32(at + 1) == SYS_exit) { /* mov $60,%eax */
            sets = true;
            at += 5;
            continue;
        }
        if (at[0] == 0x44 || at[0] == 0x41)
            at++; /* the register is r8d to r15d: 44 for 89, 41 for 8b; of no interest for xor */
        if ((at[0] == 0x31 || at[0] == 0x33) && at[1] == 0xff) /* xor %edi,%edi */
            clears = true;
        else if ((at[0] == 0x89 && (at[1] & 0xc7) == 0xc0) || /* mov %r,%eax */
                 (at[0] == 0x8b && (at[1] & 0xf8) == 0xc0))
            sets = true;
        else
            return false;
        at += 2;
    }
    return clears && sets && at == syscall;
}

static bool is_rex(const struct weft_text *text, const uint8_t *at)
{
    return at >= text->start && (*at & 0xf0) == 0x40;
}

static void classify(const struct weft_text *text, struct weft_site *site)
{
    const uint8_t *at = site->syscall;
    site->number = -1;
    site->shape = WEFT_SITE_DECODED;
    site->fate = WEFT_SITE_LEFT;
    if (is_exit_loop(text, at)) {
        site->shape = WEFT_SITE_EXIT_LOOP;
        site->number = SYS_exit;
    } else if (at - text->start >= 5 && at[-5] == 0xb8 && load32(at - 4) < NUMBER_LIMIT &&
               !is_rex(text, at - 6)) {
        site->shape = WEFT_SITE_MOV_SYSCALL;
        site->number = (int16_t)load32(at - 4);
    } else if (at - text->start >= 7 && memcmp(at - 7, "\x48\xc7\xc0", 3) == 0 &&
               load32(at - 4) < NUMBER_LIMIT) {
        site->shape = WEFT_SITE_MOV_SYSCALL;
        site->number = (int16_t)load32(at - 4);
    } else if (text->end - at >= 8 && at[2] == 0x48 && at[3] == 0x3d &&
               (load32(at + 4) == (uint32_t)-4096 || load32(at + 4) == (uint32_t)-4095)) {
        site->shape = WEFT_SITE_SYSCALL_CMP;
    }
}

/* Calls `found` with the address of every byte for which `match`(bytes, previous bytes) is all ones. The last
 * block may end behind the text, but not behind its page. */
#define SCAN(text, bytes, previous, match, found)                                                     \
    do {                                                                                              \
        __m128i last_ = _mm_setzero_si128();                                                          \
        for (uint8_t *block_ = (text)->start - ((uintptr_t)(text)->start & 63); block_ < (text)->end; \
             block_ += 64) {                                                                          \
            uint64_t mask_ = 0;                                                                       \
            for (int i_ = 0; i_ < 64; i_ += 16) {                                                     \
                __m128i bytes = _mm_load_si128((const __m128i *)(block_ + i_));                       \
                __m128i previous = _mm_or_si128(_mm_slli_si128(bytes, 1), _mm_srli_si128(last_, 15)); \
                mask_ |= (uint64_t)(unsigned)_mm_movemask_epi8(match) << i_;                          \
                last_ = bytes;                                                                        \
            }                                                                                         \
            for (; mask_; mask_ &= mask_ - 1)                                                         \
                found(block_ + __builtin_ctzll(mask_));                                               \
        }                                                                                             \
    } while (0)

static void mark_near(struct weft_site_workspace *workspace, const struct weft_text *text,
                      const uint8_t *site)
{
    size_t size = (size_t)(text->end - text->start), at = (size_t)(site - text->start);
    size_t low = at < WEFT_NEAR_BEFORE ? 0 : at - WEFT_NEAR_BEFORE;
    size_t high = at + WEFT_NEAR_AFTER < size ? at + WEFT_NEAR_AFTER : size - 1;
    for (size_t granule = low / 32; granule <= high / 32; granule++)
        workspace->near[granule / 32] |= 1u << (granule % 32);
}

static int compare_branches(const struct weft_branch *a, const struct weft_branch *b)
{
    return a->target < b->target ? -1 : a->target > b->target;
}

/* Shell's sort: in place, and unlike qsort it asks malloc for nothing. */
static void sort_branches(struct weft_branch *branches, size_t count)
{
    static const size_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
        for (size_t i = gaps[g]; i < count; i++) {
            struct weft_branch moving = branches[i];
            size_t hole = i;
            for (; hole >= gaps[g] && compare_branches(&moving, &branches[hole - gaps[g]]) < 0;
                 hole -= gaps[g])
                branches[hole] = branches[hole - gaps[g]];
            branches[hole] = moving;
        }
}

/* Remembers the jump or call with a 32-bit displacement whose last opcode byte is at `opcode`. */
static bool note_branch(struct weft_site_workspace *workspace, unsigned index, const struct weft_text *text,
                        const uint8_t *opcode)
{
    if (opcode <= text->start || text->end - opcode < 5)
        return true;
    size_t target = (size_t)(opcode + 5 + (int32_t)load32(opcode + 1) - text->start);
    bool near = workspace->near[target % WEFT_TEXT_SIZE_MAX / 32 / 32] >> (target / 32 % 32) & 1;
    if (!(near & (target < (size_t)(text->end - text->start)))) /* in one: rarely so, and well foreseen */
        return true;
    if (workspace->branch_count[index] == WEFT_BRANCH_MAX)
        return false;
    struct weft_branch *branch = &workspace->branches[index][workspace->branch_count[index]++];
    branch->source = opcode - ((*opcode & 0xf0) == 0x80);
    branch->target = text->start + target;
    return true;
}

/* What only the decoder can tell: whether the bytes are an instruction at all, and the number. */
static bool look_closer(struct weft_site_workspace *workspace, const struct weft_text *text,
                        struct weft_site *site)
{
    int starts = weft_decoder_starts(&workspace->decoder, text, site->syscall);
    if (starts == 1) {
        const uint8_t *setter;
        int number = weft_decoder_number(&workspace->decoder, text, site->syscall, &setter);
        if (number >= 0 && !weft_window_is_entered(workspace, site->text, setter - 1, site->syscall + 1))
            site->number = (int16_t)number;
    }
    return starts != 0;
}

int weft_sites_scan(struct weft_site_workspace *workspace, const struct weft_text *text, const char **reason)
{
    struct weft_site_table *table = &workspace->table;
    unsigned index = (unsigned)table->text_count;
    size_t first = table->count;
    bool overflow = false;

    memset(workspace->near, 0, sizeof(workspace->near));
    workspace->branch_count[index] = 0;

#define NOTE_SITE(at)                                           \
    do {                                                        \
        if ((at) <= text->start || (at) >= text->end)           \
            break;                                              \
        if (table->count == WEFT_SITE_MAX) {                    \
            overflow = true;                                    \
            break;                                              \
        }                                                       \
        struct weft_site *site = &table->sites[table->count++]; \
        site->syscall = (at)-1;                                 \
        site->text = (uint8_t)index;                            \
        classify(text, site);                                   \
        mark_near(workspace, text, site->syscall);              \
    } while (0)
    SCAN(text, bytes, previous,
         _mm_and_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x05)),
                       _mm_cmpeq_epi8(previous, _mm_set1_epi8(0x0f))),
         NOTE_SITE);
    if (table->count == first)
        return 0;

#define NOTE_BRANCH(at)                               \
    do {                                              \
        if (!note_branch(workspace, index, text, at)) \
            overflow = true;                          \
    } while (0)
    SCAN(text, bytes, previous,
         _mm_or_si128(
             _mm_cmpeq_epi8(_mm_and_si128(bytes, _mm_set1_epi8((char)0xfe)), _mm_set1_epi8((char)0xe8)),
             _mm_and_si128(
                 _mm_cmpeq_epi8(_mm_and_si128(bytes, _mm_set1_epi8((char)0xf0)), _mm_set1_epi8((char)0x80)),
                 _mm_cmpeq_epi8(previous, _mm_set1_epi8(0x0f)))),
         NOTE_BRANCH);
    if (overflow) {
        *reason = "libc has more system calls than expected";
        return -E2BIG;
    }
    sort_branches(workspace->branches[index], workspace->branch_count[index]);
    table->texts[table->text_count++] = *text;

    if (!workspace->decoder.library)
        return 0;
    size_t kept = first;
    for (size_t i = first; i < table->count; i++) {
        if (table->sites[i].shape == WEFT_SITE_DECODED && !look_closer(workspace, text, &table->sites[i]))
            continue;
        if (kept != i)
            table->sites[kept] = table->sites[i];
        kept++;
    }
    table->count = kept;
    return 0;
}

static bool glibc_is_at_least(long major, long minor)
{
    char *rest;
    long found = strtol(gnu_get_libc_version(), &rest, 10);
    return found > major || (found == major && *rest == '.' && strtol(rest + 1, NULL, 10) >= minor);
}

/*
 * The parts of libc before glibc 2.34, each with system calls of its own. start_thread lives in the first,
 * timers and message queues in the second. The dynamic linker ends by futex what dlclose (in the first) waits
 * for, lookups of other threads; of its calls only these are of interest. What is not loaded yet is loaded
 * now, since later nothing would be redirected in it.
 */
static const struct part {
    const char *file, *name;
    bool only_futex;
} parts[] = {
    {"libpthread.so.0", "libpthread", false},
    {"librt.so.1", "librt", false},
    {"libanl.so.1", "libanl", false},
    {"ld-linux-x86-64.so.2", "ld-", true},
};

static void keep_only(struct weft_site_table *table, size_t first, int number)
{
    size_t kept = first;
    for (size_t i = first; i < table->count; i++)
        if (table->sites[i].number == number)
            table->sites[kept++] = table->sites[i];
    table->count = kept;
}

static int scan_parts(struct weft_site_workspace *workspace, const char **reason)
{
    struct weft_site_table *table = &workspace->table;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct weft_text text;
        if (!dlopen(parts[i].file, RTLD_NOW | RTLD_LOCAL))
            dlerror(); /* the program's own dlerror must not speak of it */
        if (weft_text_find_file(parts[i].name, &text, reason) != 0)
            continue; /* not installed, so nobody can use it */
        size_t first = table->count;
        int error = weft_sites_scan(workspace, &text, reason);
        if (error)
            return error;
        if (parts[i].only_futex)
            keep_only(table, first, SYS_futex);
    }
    return 0;
}

int weft_sites_find(struct weft_site_table **table, const struct weft_known_text *known, const char **reason)
{
    struct weft_site_workspace *workspace = weft_workspace_new();
    if (!workspace) {
        *reason = "no memory for the table of sites";
        return -ENOMEM;
    }
    struct weft_text text;
    int error = weft_text_find(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &text, reason);
    bool has_parts = !glibc_is_at_least(2, 34);
    if (!error && (has_parts || !known || !weft_sites_recognize(workspace, &text, known))) {
        weft_decoder_open(&workspace->decoder);
        error = weft_sites_scan(workspace, &text, reason);
        if (!error && has_parts)
            error = scan_parts(workspace, reason);
    }
    if (error) {
        weft_sites_release(&workspace->table);
        return error;
    }
    *table = &workspace->table;
    return 0;
}

/* __syscall_cancel_arch ends in: mov %r11,8(%rsp); syscall; ret */
static bool is_cancellation_site(const struct weft_site *site)
{
    return site->shape == WEFT_SITE_DECODED && site->number < 0 && site->syscall[2] == 0xc3;
}

/* A tight loop around exit, or around a call not known: an exit loop of a form not foreseen. */
static bool may_be_exit_loop(const struct weft_site *site)
{
    return (site->number < 0 || site->number == SYS_exit) && site->syscall[2] == 0xeb &&
           site->syscall[3] >= 0xe0;
}

static const char *check_mandatory(const struct weft_site_table *table)
{
    const uint8_t threads = table->text_count > 1; /* the text of start_thread: libpthread, if there is one */
    size_t clones = 0, exits = 0, futexes = 0, cancellations = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct weft_site *site = &table->sites[i];
        bool redirected = site->fate == WEFT_SITE_REDIRECTED;
        if (site->number == SYS_clone || site->number == SYS_clone3) {
            if (!redirected)
                return "a clone system call in libc cannot be redirected";
            clones++;
        } else if (site->number == SYS_futex) {
            if (!redirected)
                return "a futex system call in libc cannot be redirected";
            futexes++;
        } else if (site->shape == WEFT_SITE_EXIT_LOOP || may_be_exit_loop(site)) {
            if (!redirected)
                return "a thread exit in libc cannot be redirected";
            exits += site->text == threads;
        } else if (is_cancellation_site(site)) {
            cancellations += redirected;
        }
    }
    if (!clones)
        return "no clone system call found in libc";
    if (!exits)
        return "no thread exit found in libc";
    if (!futexes)
        return "no futex system call found in libc";
    if (!cancellations && glibc_is_at_least(2, 41))
        return "libc's cancellable system call cannot be redirected";
    return NULL;
}

/* Nothing has been changed; the table must not claim otherwise. */
static void forget_windows(struct weft_site_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct weft_site *site = &table->sites[i];
        if (site->fate != WEFT_SITE_REDIRECTED)
            continue;
        site->fate = WEFT_SITE_LEFT;
        site->window = NULL;
        site->slot = NULL;
    }
    table->left += table->redirected;
    table->redirected = 0;
}

int weft_sites_redirect(struct weft_site_table *table, const bool *wanted, size_t wanted_count,
                        const char **reason)
{
    struct weft_site_workspace *workspace = (struct weft_site_workspace *)table;
    bool decoder = workspace->decoder.library != NULL;
    int error = weft_windows_choose(workspace, wanted, wanted_count, reason);
    weft_decoder_close(&workspace->decoder);
    if (!error) {
        *reason = check_mandatory(table);
        if (*reason) {
            error = -ENOTSUP;
            if (!decoder && !workspace->known)
                *reason =
                    "this libc cannot be redirected without " WEFT_DECODER_NAME ", which is not installed";
        }
    }
    if (!error) {
        error = weft_sites_patch(workspace);
        if (error)
            *reason = "libc's code cannot be made writable";
    }
    if (error)
        forget_windows(table);
    return error;
}

void weft_sites_release(struct weft_site_table *table)
{
    struct weft_site_workspace *workspace = (struct weft_site_workspace *)table;
    weft_decoder_close(&workspace->decoder);
    weft_raw2(SYS_munmap, (long)workspace, sizeof(*workspace));
}

const char *weft_site_function(const struct weft_site *site)
{
    Dl_info info;
    return dladdr(site->syscall, &info) && info.dli_sname ? info.dli_sname : "?";
}

const char *weft_site_shape_name(enum weft_site_shape shape)
{
    static const char *const names[] = {"mov-syscall", "syscall-cmp", "exit-loop", "decoded"};
    return names[shape];
}

const char *weft_site_fate_name(enum weft_site_fate fate)
{
    static const char *const names[] = {"redirected", "left", "refused"};
    return names[fate];
}
