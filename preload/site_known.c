/* SPDX-License-Identifier: MIT */
/*
 * A libc that is known: the sites, and the windows that site_window.c would choose.
 *
 * To search libc takes 1.5 ms, most of what turning weft on takes, and its result is the same for the same
 * libc. So the build searches the libc that it finds (record_sites.c), and weft carries the result:
 * weft_known_libc.
 *
 * 1. The libc of a process is that one when its build id is, and when the bytes of all windows are, by a
 *    checksum: another preloaded object, or a debugger, may have changed them since. Any other libc is
 * searched.
 * 2. The record is made as if every number were wanted. Its windows do not overlap, so any of them may be
 * taken without the others.
 * 3. Where something is to be known of a function (jumps into a window, lengths of instructions), it has been
 *    found out. So neither Zydis nor the texts' tables are needed.
 */
#include "site_internal.h"

#include <string.h>

static int32_t load32(const uint8_t *at)
{
    int32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static unsigned length_of(const struct weft_known_piece *pieces, unsigned count)
{
    unsigned length = 0;
    for (unsigned i = 0; i < count; i++)
        length += pieces[i].length;
    return length;
}

/* FNV-1a. */
uint64_t weft_known_checksum(const uint8_t *start, const struct weft_known_text *known)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < known->site_count; i++) {
        const struct weft_known_site *site = &known->sites[i];
        const struct weft_known_piece *pieces = &known->pieces[site->first];
        const uint8_t *syscall = start + site->offset;
        const uint8_t *end = syscall + 2 + length_of(pieces + site->before, site->after);
        for (const uint8_t *at = syscall - length_of(pieces, site->before); at < end; at++)
            sum = (sum ^ *at) * UINT64_C(0x100000001b3);
    }
    return sum;
}

bool weft_sites_recognize(struct weft_site_workspace *workspace, const struct weft_text *text,
                          const struct weft_known_text *known)
{
    struct weft_site_table *table = &workspace->table;
    if (!known->build_id_length || text->build_id_length != known->build_id_length ||
        memcmp(text->build_id, known->build_id, known->build_id_length) != 0 ||
        (size_t)(text->end - text->start) != known->size || known->site_count > WEFT_SITE_MAX ||
        weft_known_checksum(text->start, known) != known->checksum)
        return false;
    for (size_t i = 0; i < known->site_count; i++)
        table->sites[i] = (struct weft_site){.syscall = text->start + known->sites[i].offset,
                                             .number = known->sites[i].number,
                                             .shape = known->sites[i].shape,
                                             .fate = WEFT_SITE_LEFT};
    table->count = known->site_count;
    table->texts[table->text_count++] = *text;
    table->known = true;
    workspace->known = known;
    return true;
}

static struct weft_instruction known_instruction(const struct weft_known_piece *piece, const uint8_t *at)
{
    struct weft_instruction instruction = {.at = at, .length = piece->length, .kind = piece->kind};
    const uint8_t *end = at + piece->length, *displacement = at + piece->displacement_offset;
    if (piece->kind == WEFT_INSTRUCTION_RELATIVE) {
        instruction.displacement_offset = piece->displacement_offset;
        instruction.target = end + load32(displacement);
    } else if (piece->kind == WEFT_INSTRUCTION_BRANCH) {
        instruction.target = end + (end - displacement == 1 ? (int8_t)*displacement : load32(displacement));
        instruction.conditional = piece->condition != WEFT_ALWAYS;
        instruction.condition = piece->condition;
    }
    return instruction;
}

const char *weft_known_take(struct weft_site_workspace *workspace, struct weft_site *site,
                            const struct weft_known_site *known)
{
    const struct weft_known_piece *pieces = workspace->known->pieces + known->first;
    struct weft_window window = {.before_count = known->before, .after_count = known->after};
    if (known->before + known->after == 0)
        return "no window was found when weft was built";
    const uint8_t *at = site->syscall;
    for (unsigned i = 0; i < known->before; i++) {
        const struct weft_known_piece *piece = &pieces[known->before - 1 - i];
        at -= piece->length;
        window.before[i] = known_instruction(piece, at);
    }
    window.start = at;
    at = site->syscall + 2;
    for (unsigned i = 0; i < known->after; i++) {
        const struct weft_known_piece *piece = &pieces[known->before + i];
        window.after[i] = known_instruction(piece, at);
        at += piece->length;
    }
    window.end = at;
    return weft_window_place(workspace, site, &window);
}
