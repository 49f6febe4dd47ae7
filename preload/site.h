/* SPDX-License-Identifier: MIT */
/*
 * Sites: the syscall instructions of libc, and redirecting them to weft_entry.
 *
 *     struct weft_site_table *table;
 *     const char *reason;
 *     if (weft_sites_find(&table, &weft_known_libc, &reason) == 0 &&
 *         weft_sites_redirect(table, wanted, wanted_count, &reason) == 0) ...
 *     weft_sites_release(table);
 *
 * Around a site stands its window: at least five bytes of whole instructions that no jump enters except at
 * the first byte. Redirecting overwrites the window with a jump to a slot (trampoline.h), which holds the
 * displaced instructions and calls weft_entry in the place of the system call.
 *
 *     libc:   mov $0,%eax ; syscall ; cmp $-4096,%rax            jmp slot ; int3 int3 ; cmp $-4096,%rax
 *             `------ window ------'                     ==>      |                     ^
 *                                                                slot: mov, call entry, jmp back
 *
 * All functions here are for one moment: activation, in a process with one kernel thread, on an ordinary
 * stack. They never park, are not for signal handlers, and may use all of libc (it is still native).
 */
#ifndef WEFT_PRELOAD_SITE_H
#define WEFT_PRELOAD_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trampoline.h"

#define WEFT_SITE_MAX        1024 /* syscall instructions that a table holds; glibc 2.36 has 526 */
#define WEFT_SITE_WINDOW_MAX 32   /* bytes of a window */
#define WEFT_SITE_TEXT_MAX   5    /* libc; before glibc 2.34 libpthread, librt, libanl, ld.so */

enum weft_site_shape {
    WEFT_SITE_MOV_SYSCALL, /* mov $N,%eax; syscall            7 or 9 bytes, the number is known */
    WEFT_SITE_SYSCALL_CMP, /* syscall; cmp $-4096|-4095,%rax  8 bytes, the number is not known */
    WEFT_SITE_EXIT_LOOP,   /* again: xor %edi,%edi; mov %r,%eax; syscall; jmp again   the end of a thread */
    WEFT_SITE_DECODED,     /* anything else, by instruction lengths from the start of its function */
};

enum weft_site_fate {
    WEFT_SITE_REDIRECTED,
    WEFT_SITE_LEFT,    /* nobody wants its number (or: not redirected yet) */
    WEFT_SITE_REFUSED, /* should be redirected and cannot: it goes on entering the kernel itself */
};

struct weft_site {
    uint8_t *syscall;       /* the syscall instruction, 0f 05 */
    uint8_t *window;        /* first overwritten byte; NULL unless REDIRECTED, like the next fields */
    struct weft_slot *slot; /* where the window's jump leads */
    uint8_t window_length;  /* before_length + 2 + after_length */
    uint8_t before_length;  /* original bytes of the displaced instructions */
    uint8_t after_length;
    uint8_t original[WEFT_SITE_WINDOW_MAX]; /* the window's bytes before it was overwritten */
    int16_t number;                         /* of the system call, -1 when not constant or not known */
    uint8_t shape;                          /* enum weft_site_shape */
    uint8_t fate;                           /* enum weft_site_fate */
    uint8_t text;                           /* index in weft_site_table.texts */
    const char *reason;                     /* why it was REFUSED: a static line; else NULL */
};

/* The executable segment of one object, and where its functions start (its .eh_frame_hdr). */
struct weft_text {
    uint8_t *start, *end;
    const uint8_t *header;  /* PT_GNU_EH_FRAME, to which the entries are relative */
    const int32_t *entries; /* function_count pairs (start, description), sorted by start */
    size_t function_count;
    const uint8_t *data, *data_end; /* the read-only segment around the header; jump tables lie there */
    const uint8_t *build_id;        /* of the object; NULL: it has none */
    size_t build_id_length;
};

struct weft_site_table {
    size_t count;                     /* sites, sorted by address within a text */
    size_t redirected, left, refused; /* their fates, valid after weft_sites_redirect */
    bool known;                       /* nothing was searched */
    size_t text_count;
    struct weft_text texts[WEFT_SITE_TEXT_MAX];
    struct weft_site sites[WEFT_SITE_MAX];
};

/* What was found in the libc of the machine that weft was built on (site_known.c). */
struct weft_known_text;
extern const struct weft_known_text weft_known_libc;

/*
 * Finds every site of libc, and of its parts where they are objects of their own, which it loads. Changes
 * nothing. When libc is the one that is `known` (may be NULL), nothing is searched or decoded. The table
 * comes from mmap, belongs to the caller and goes to weft_sites_release.
 * Returns 0, or -errno with *reason set to one static line for the user: -ENOENT (no libc, no usable
 * .eh_frame_hdr), -E2BIG (more sites or text than there is room for), -ENOMEM.
 */
int weft_sites_find(struct weft_site_table **table, const struct weft_known_text *known, const char **reason);

/*
 * Redirects the sites whose number is wanted (wanted[number], number < wanted_count) or not known; sites
 * with another number are LEFT. clone, clone3, futex and thread exits are wanted in any case, rt_sigreturn
 * never. The site of a rare call that cannot be moved is REFUSED, which costs speed and nothing else.
 * weft_entry may be called as soon as this returns, or earlier by a signal handler.
 *
 * Returns 0, or -errno with *reason set, and then nothing has been changed: -ENOTSUP when a site that weft
 * cannot do without is missing or cannot be redirected, -ENOSPC when the slots do not suffice, or
 * what mprotect said (-EACCES where a security policy forbids to change text).
 */
int weft_sites_redirect(struct weft_site_table *table, const bool *wanted, size_t wanted_count,
                        const char **reason);

/* Frees the table and the decoder. Redirected sites stay redirected: slots do not refer to the table. */
void weft_sites_release(struct weft_site_table *table);

/* The nearest exported symbol at or before the site, or "?". For listings; it is often a neighbour's name. */
const char *weft_site_function(const struct weft_site *site);

const char *weft_site_shape_name(enum weft_site_shape shape);
const char *weft_site_fate_name(enum weft_site_fate fate);

#endif
