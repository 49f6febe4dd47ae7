/* SPDX-License-Identifier: MIT */
/*
 * What the site_*.c files share, and the steps behind weft_sites_find and weft_sites_redirect, so that
 * tests can take them one by one on synthetic code:
 *
 *     site_text.c    finds texts and their functions
 *     site.c         finds sites, classifies them, and knows which are mandatory
 *     site_known.c   knows them without a search when libc is the one that weft was built with
 *     site_decode.c  instruction lengths and kinds, by Zydis when it is there
 *     site_window.c  chooses windows, relocates displaced instructions, makes the slots' contents
 *     site_patch.c   writes slots and windows
 */
#ifndef WEFT_PRELOAD_SITE_INTERNAL_H
#define WEFT_PRELOAD_SITE_INTERNAL_H

#include "site.h"

#define WEFT_DECODER_NAME "libZydis"

#define WEFT_BRANCH_MAX    4096       /* long jumps that end near a site; glibc 2.36 has some 300 */
#define WEFT_TEXT_SIZE_MAX (4u << 20) /* bytes of one text */
#define WEFT_NEAR_BEFORE   64         /* a long jump is remembered when it ends this near to a site */
#define WEFT_NEAR_AFTER    26
#define WEFT_WINDOW_LIST   16          /* instructions considered on either side of a syscall */
#define WEFT_FUNCTION_MAX  (64u << 10) /* bytes of a function that are decoded at most */

enum weft_instruction_kind {
    WEFT_INSTRUCTION_PLAIN,    /* means the same at any address */
    WEFT_INSTRUCTION_RELATIVE, /* one memory operand relative to rip, with a 32-bit displacement */
    WEFT_INSTRUCTION_BRANCH,   /* jmp or jcc to a constant target */
    WEFT_INSTRUCTION_END,      /* ret or an indirect jmp: may be moved, but nothing follows it */
    WEFT_INSTRUCTION_FIXED,    /* stays where it is: calls, syscalls, loops, endbr64, ... */
};

struct weft_instruction {
    const uint8_t *at;
    uint8_t length;
    uint8_t kind;                /* enum weft_instruction_kind */
    uint8_t displacement_offset; /* RELATIVE: of the displacement, in the instruction */
    bool conditional;            /* BRANCH: jcc */
    uint8_t condition;           /* BRANCH, conditional: the low four bits of the opcode */
    const uint8_t *target;       /* RELATIVE: of the operand; BRANCH: of the jump */
};

/* A piece of a known window: one instruction, or several that mean the same at any address. */
struct weft_known_piece {
    uint8_t length;
    uint8_t kind;                /* enum weft_instruction_kind */
    uint8_t displacement_offset; /* RELATIVE, BRANCH: of the displacement, which for BRANCH ends the piece */
    uint8_t condition;           /* BRANCH: of the jcc, or WEFT_ALWAYS */
};

#define WEFT_ALWAYS 16

struct weft_known_site {
    uint32_t offset; /* of the syscall instruction, from the text's start */
    int16_t number;
    uint8_t shape;         /* enum weft_site_shape */
    uint8_t before, after; /* pieces of its window on either side; none: it has no window */
    uint16_t first;        /* the first of them; they stand in the order of their addresses */
};

struct weft_known_text {
    uint8_t build_id[32];
    size_t build_id_length; /* 0: no text is known */
    size_t size;            /* bytes of the text */
    uint64_t checksum;      /* of the windows' bytes */
    size_t site_count;
    const struct weft_known_site *sites;
    const struct weft_known_piece *pieces;
};

/* A long jump or call, or what looks like one, whose target lies near a site. */
struct weft_branch {
    const uint8_t *source;
    const uint8_t *target;
};

/*
 * Zydis, opened with dlopen only while sites are found and redirected, and the instruction starts of the
 * function that was asked about last, decoded as far as was asked.
 */
struct weft_decoder {
    void *library; /* NULL: there is no decoder */
    int (*decode)(const void *decoder, void *context, const void *code, size_t length, void *instruction);
    int (*decode_full)(const void *decoder, const void *code, size_t length, void *instruction,
                       void *operands);
    _Alignas(16) uint8_t lengths[64]; /* ZydisDecoder: lengths and raw fields only */
    _Alignas(16) uint8_t full[64];    /* ZydisDecoder: with operands */
    const uint8_t *function, *function_end;
    const uint8_t *decoded; /* instruction starts below this address are known */
    bool broken;            /* and what stands there is no instruction */
    uint8_t starts[WEFT_FUNCTION_MAX / 8];
};

/* The whole allocation; its first part is what the public functions show. */
struct weft_site_workspace {
    struct weft_site_table table;
    struct weft_decoder decoder;
    const struct weft_known_text *known; /* NULL: the sites were searched */
    size_t branch_count[WEFT_SITE_TEXT_MAX];
    struct weft_branch branches[WEFT_SITE_TEXT_MAX][WEFT_BRANCH_MAX]; /* sorted by target */
    uint32_t near[WEFT_TEXT_SIZE_MAX / 32 / 32]; /* one bit for 32 bytes of the text being scanned */
    size_t slots_used;
    _Alignas(8) uint8_t images[WEFT_SLOT_COUNT][WEFT_SLOT_SIZE]; /* the slots to write */
};

/* site_text.c */
/* Finds the text that contains `address`. Returns 0, -ENOENT, or -E2BIG. */
int weft_text_find(const void *address, struct weft_text *text, const char **reason);
/* Finds the text of the object whose file's name starts with `name`. */
int weft_text_find_file(const char *name, struct weft_text *text, const char **reason);
/* The function that contains `at`: from its start to the next one's. False where none is known. */
bool weft_text_function(const struct weft_text *text, const uint8_t *at, const uint8_t **start,
                        const uint8_t **end);

/* site.c */
struct weft_site_workspace *weft_workspace_new(void);
/* Adds a text and its sites. Needs the decoder open if it is to know numbers behind other shapes. */
int weft_sites_scan(struct weft_site_workspace *workspace, const struct weft_text *text, const char **reason);

/* A window with its instructions. */
struct weft_window {
    const uint8_t *start, *end;
    size_t before_count, after_count;
    struct weft_instruction before[WEFT_WINDOW_LIST]; /* before[0] stands next to the syscall */
    struct weft_instruction after[WEFT_WINDOW_LIST];
};

/* site_known.c */
/* Gives a site its known window and a slot. NULL, or why not. */
const char *weft_known_take(struct weft_site_workspace *workspace, struct weft_site *site,
                            const struct weft_known_site *known);
/* Adds the sites of a text without a search. False, and nothing is added, when it is another text. */
bool weft_sites_recognize(struct weft_site_workspace *workspace, const struct weft_text *text,
                          const struct weft_known_text *known);
/* The checksum, of `count` sites that lie in a text at `start`. */
uint64_t weft_known_checksum(const uint8_t *start, const struct weft_known_text *known);

/* site_decode.c */
/* Opens Zydis. False when it is not installed or of another version than the headers; never an error. */
bool weft_decoder_open(struct weft_decoder *decoder);
void weft_decoder_close(struct weft_decoder *decoder);
/* 1: an instruction starts at `at`, 0: none does, -1: cannot be known. */
int weft_decoder_starts(struct weft_decoder *decoder, const struct weft_text *text, const uint8_t *at);
/* The start of the instruction that `at` lies in or starts; NULL: cannot be known. */
const uint8_t *weft_decoder_containing(struct weft_decoder *decoder, const struct weft_text *text,
                                       const uint8_t *at);
/* The instruction that ends where `at` starts; NULL at the function's start or when it cannot be known. */
const uint8_t *weft_decoder_previous(struct weft_decoder *decoder, const struct weft_text *text,
                                     const uint8_t *at);
/* Decodes one instruction for moving it. False when the bytes are none. */
bool weft_decoder_instruction(const struct weft_decoder *decoder, const uint8_t *at, const uint8_t *end,
                              struct weft_instruction *instruction);
/*
 * Follows straight-line code back from the syscall instruction to the constant in eax. Returns it, with
 * *setter the instruction's end; or -1.
 */
int weft_decoder_number(struct weft_decoder *decoder, const struct weft_text *text, const uint8_t *syscall,
                        const uint8_t **setter);

/* site_window.c */
/* Does a jump end strictly between start and end? Doubt counts as yes. */
bool weft_window_is_entered(struct weft_site_workspace *workspace, unsigned text, const uint8_t *start,
                            const uint8_t *end);
/* Gives the site this window and a slot. NULL, or why not. Whether it is a window was found out before. */
const char *weft_window_place(struct weft_site_workspace *workspace, struct weft_site *site,
                              const struct weft_window *window);
/* Chooses windows for all wanted sites and makes their slots' contents. 0, or -ENOSPC. Writes no text. */
int weft_windows_choose(struct weft_site_workspace *workspace, const bool *wanted, size_t wanted_count,
                        const char **reason);

/* site_patch.c */
/* Writes the slots and the windows of all sites that are REDIRECTED. All or nothing; 0 or -errno. */
int weft_sites_patch(struct weft_site_workspace *workspace);

#endif
