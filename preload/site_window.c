/* SPDX-License-Identifier: MIT */
/*
 * Choosing windows, and making the contents of their slots.
 *
 * 1. A window is at least five bytes of whole instructions of one function, contains one syscall
 *    instruction, shares no byte with another window, and no jump ends inside it (at its first byte one may).
 * 2. Instructions before the syscall are preferred to such behind it: nothing there needs relocation but
 *    operands relative to rip. Behind it, jumps out of the window are moved too, in their long form.
 * 3. Jumps are looked for at every byte: short ones around the window, long ones in the list that
 *    weft_sites_scan made of the whole text. What looks like one is asked of the decoder, and counts
 *    unless it is known to lie inside another instruction.
 * 4. An indirect jump is known by its table: every `lea table(%rip)` of the function that leads to read-only
 *    data is read as the table of 32-bit distances that compilers make of a switch.
 * 5. Nothing is written to any text here.
 */
#include "site_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#define JUMP_LENGTH     5
#define SHORT_JUMP_SPAN 130

static int32_t load32s(const uint8_t *at)
{
    int32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

/* Is there an instruction whose opcode stands at `opcode`, perhaps behind prefixes? Doubt counts as yes. */
static bool is_executed(struct weft_site_workspace *workspace, const struct weft_text *text,
                        const uint8_t *opcode)
{
    const uint8_t *start = weft_decoder_containing(&workspace->decoder, text, opcode);
    if (!start)
        return true;
    for (; start < opcode; start++) {
        bool prefix = *start == 0x66 || *start == 0x67 || *start == 0x2e || *start == 0x3e ||
                      *start == 0xf2 || *start == 0xf3 || (*start & 0xf0) == 0x40;
        if (!prefix)
            return false;
    }
    return true;
}

static bool entered_by_short_jump(struct weft_site_workspace *workspace, const struct weft_text *text,
                                  const uint8_t *start, const uint8_t *end)
{
    const uint8_t *at = start - text->start > SHORT_JUMP_SPAN ? start - SHORT_JUMP_SPAN : text->start;
    const uint8_t *last = text->end - end > SHORT_JUMP_SPAN ? end + SHORT_JUMP_SPAN : text->end - 2;
    for (; at <= last; at++) {
        const uint8_t *target = at + 2 + (int8_t)at[1];
        if ((size_t)(target - start - 1) >= (size_t)(end - start - 1)) /* one comparison: rarely inside */
            continue;
        bool jump = *at == 0xeb || (*at & 0xf0) == 0x70 || (*at & 0xfc) == 0xe0; /* jmp, jcc, loop, jrcxz */
        if (jump && is_executed(workspace, text, at))
            return true;
    }
    return false;
}

static bool entered_by_long_jump(struct weft_site_workspace *workspace, unsigned index, const uint8_t *start,
                                 const uint8_t *end)
{
    const struct weft_branch *branches = workspace->branches[index];
    size_t low = 0, high = workspace->branch_count[index]; /* branches below low end at or before `start` */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (branches[middle].target <= start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < workspace->branch_count[index] && branches[low].target < end; low++)
        if (is_executed(workspace, &workspace->table.texts[index], branches[low].source))
            return true;
    return false;
}

static bool entered_by_table(const struct weft_text *text, const uint8_t *start, const uint8_t *end)
{
    const uint8_t *function, *function_end;
    if (!weft_text_function(text, start, &function, &function_end))
        return false;
    for (const uint8_t *at = function; at + 7 <= function_end; at++) {
        if ((load32s(at) & 0xc7fffb) != 0x058d48) /* 48|4c 8d 05...3d: lea disp32(%rip),%r64 */
            continue;
        const uint8_t *table = at + 7 + load32s(at + 3);
        for (const uint8_t *entry = table; entry >= text->data && entry + 4 <= text->data_end; entry += 4) {
            const uint8_t *target = table + load32s(entry);
            if (target < text->start || target >= text->end)
                break; /* the table's end; a case in the function's cold part is none */
            if (target > start && target < end)
                return true;
        }
    }
    return false;
}

bool weft_window_is_entered(struct weft_site_workspace *workspace, unsigned index, const uint8_t *start,
                            const uint8_t *end)
{
    return entered_by_long_jump(workspace, index, start, end) ||
           entered_by_table(&workspace->table.texts[index], start, end) ||
           entered_by_short_jump(workspace, &workspace->table.texts[index], start, end);
}

/* The slot that is being filled: bytes go to `image`, and will be executed at `slot`. */
struct assembly {
    uint8_t *image;
    const uint8_t *slot;
    size_t at; /* offset of the next byte in the slot */
};

static bool put_distance(struct assembly *out, const uint8_t *target, size_t bytes_behind)
{
    intptr_t distance = target - (out->slot + out->at + sizeof(int32_t) + bytes_behind);
    int32_t value = (int32_t)distance;
    memcpy(out->image + out->at, &value, sizeof(value));
    out->at += sizeof(value);
    return value == distance;
}

static void put_bytes(struct assembly *out, const uint8_t *bytes, size_t length)
{
    memcpy(out->image + out->at, bytes, length);
    out->at += length;
}

static size_t moved_length(const struct weft_instruction *instruction)
{
    if (instruction->kind != WEFT_INSTRUCTION_BRANCH)
        return instruction->length;
    return instruction->conditional ? 6 : 5;
}

static bool put_instruction(struct assembly *out, const struct weft_instruction *instruction)
{
    switch (instruction->kind) {
    case WEFT_INSTRUCTION_PLAIN:
    case WEFT_INSTRUCTION_END:
        put_bytes(out, instruction->at, instruction->length);
        return true;
    case WEFT_INSTRUCTION_RELATIVE: {
        size_t front = instruction->displacement_offset,
               behind = instruction->length - front - sizeof(int32_t);
        put_bytes(out, instruction->at, front);
        bool reached = put_distance(out, instruction->target, behind);
        put_bytes(out, instruction->at + front + sizeof(int32_t), behind);
        return reached;
    }
    case WEFT_INSTRUCTION_BRANCH: {
        const uint8_t jcc[2] = {0x0f, (uint8_t)(0x80 | instruction->condition)}, jmp = 0xe9;
        if (instruction->conditional)
            put_bytes(out, jcc, sizeof(jcc));
        else
            put_bytes(out, &jmp, sizeof(jmp));
        return put_distance(out, instruction->target, 0);
    }
    default:
        return false;
    }
}

/* Makes the slot's contents. False where something would be out of a 32-bit distance's reach. */
static bool fill_slot(struct weft_site_workspace *workspace, const struct weft_site *site,
                      const struct weft_window *window)
{
    size_t before_length = (size_t)(site->syscall - window->start);
    struct weft_slot *slot = &weft_slots[workspace->slots_used];
    uint8_t *image = workspace->images[workspace->slots_used];
    memcpy(image, slot, sizeof(*slot));

    struct assembly out = {image, (const uint8_t *)slot, WEFT_SLOT_ENTER - before_length};
    for (size_t i = window->before_count; i-- > 0;)
        if (!put_instruction(&out, &window->before[i]))
            return false;

    out.at = WEFT_SLOT_AFTER;
    for (size_t i = 0; i < window->after_count; i++)
        if (!put_instruction(&out, &window->after[i]))
            return false;
    const uint8_t jmp = 0xe9;
    put_bytes(&out, &jmp, sizeof(jmp));
    if (!put_distance(&out, window->end, 0))
        return false;

    const uint8_t *site_next = site->syscall + 2;
    memcpy(image + WEFT_SLOT_SITE_NEXT, &site_next, sizeof(site_next));
    memcpy(image + WEFT_SLOT_BACK, &window->end, sizeof(window->end));

    intptr_t jump = (const uint8_t *)slot + WEFT_SLOT_ENTER - before_length - (window->start + JUMP_LENGTH);
    return jump == (int32_t)jump;
}

const char *weft_window_place(struct weft_site_workspace *workspace, struct weft_site *site,
                              const struct weft_window *window)
{
    if (!fill_slot(workspace, site, window))
        return "too far from the trampolines";
    size_t length = (size_t)(window->end - window->start);
    site->window = (uint8_t *)window->start;
    site->window_length = (uint8_t)length;
    site->before_length = (uint8_t)(site->syscall - window->start);
    site->after_length = (uint8_t)(window->end - site->syscall - 2);
    memcpy(site->original, window->start, length);
    site->slot = &weft_slots[workspace->slots_used++];
    site->fate = WEFT_SITE_REDIRECTED;
    site->reason = NULL;
    return NULL;
}

/* The same when the window is one that rule 1 allows. */
static const char *take_window(struct weft_site_workspace *workspace, struct weft_site *site,
                               const struct weft_window *window)
{
    const struct weft_site_table *table = &workspace->table;
    size_t length = (size_t)(window->end - window->start);
    if (length < JUMP_LENGTH || length > WEFT_SITE_WINDOW_MAX)
        return "no window of a fitting size";

    const uint8_t *start, *end;
    const struct weft_text *text = &table->texts[site->text];
    if (!weft_text_function(text, site->syscall, &start, &end) || window->start < start || window->end > end)
        return "the window would leave its function";

    for (const struct weft_site *other = site; other-- > table->sites && other->text == site->text;)
        if (other->fate == WEFT_SITE_REDIRECTED) {
            if (other->window + other->window_length > window->start)
                return "another window is in the way";
            break;
        } else if (other->syscall + 2 > window->start) {
            return "another system call is in the way";
        }
    const struct weft_site *next = site + 1;
    if (next < table->sites + table->count && next->text == site->text && next->syscall < window->end)
        return "another system call is in the way";

    if (weft_window_is_entered(workspace, site->text, window->start, window->end))
        return workspace->decoder.library ? "a jump enters the window"
                                          : "a jump may enter the window, and there is no decoder to tell";
    return weft_window_place(workspace, site, window);
}

static void set_plain(struct weft_instruction *instruction, const uint8_t *at, size_t length)
{
    memset(instruction, 0, sizeof(*instruction));
    instruction->at = at;
    instruction->length = (uint8_t)length;
    instruction->kind = WEFT_INSTRUCTION_PLAIN;
}

/* The window that the shape's bytes alone give. They hold nothing that depends on its address. */
static const char *take_shape(struct weft_site_workspace *workspace, struct weft_site *site)
{
    struct weft_window window = {.start = site->syscall, .end = site->syscall + 2};
    switch (site->shape) {
    case WEFT_SITE_MOV_SYSCALL:
        window.start -= site->syscall[-5] == 0xb8 ? 5 : 7;
        break;
    case WEFT_SITE_EXIT_LOOP:
        window.start += 4 + (int8_t)site->syscall[3]; /* the jump back ends at the first byte and may stay */
        break;
    case WEFT_SITE_SYSCALL_CMP:
        window.end += 6;
        window.after_count = 1;
        set_plain(&window.after[0], site->syscall + 2, 6);
        break;
    default:
        return "no decoder";
    }
    if (window.start < site->syscall) {
        window.before_count = 1;
        set_plain(&window.before[0], window.start, (size_t)(site->syscall - window.start));
    }
    return take_window(workspace, site, &window);
}

static bool may_stand_before(const struct weft_instruction *instruction)
{
    return instruction->kind == WEFT_INSTRUCTION_PLAIN || instruction->kind == WEFT_INSTRUCTION_RELATIVE;
}

/* Lists the movable instructions on both sides of the syscall, as far as the slot has room for them. */
static void list_neighbours(struct weft_site_workspace *workspace, const struct weft_site *site,
                            struct weft_window *window)
{
    const struct weft_text *text = &workspace->table.texts[site->text];
    struct weft_decoder *decoder = &workspace->decoder;
    struct weft_instruction instruction;

    window->before_count = window->after_count = 0;
    const uint8_t *at = site->syscall;
    while (window->before_count < WEFT_WINDOW_LIST && (at = weft_decoder_previous(decoder, text, at)) &&
           site->syscall - at <= WEFT_SLOT_BEFORE_SIZE &&
           weft_decoder_instruction(decoder, at, text->end, &instruction) && may_stand_before(&instruction))
        window->before[window->before_count++] = instruction;

    size_t length = 0;
    bool more = true;
    at = site->syscall + 2;
    while (more && window->after_count < WEFT_WINDOW_LIST &&
           weft_decoder_instruction(decoder, at, text->end, &instruction) &&
           instruction.kind != WEFT_INSTRUCTION_FIXED) {
        length += moved_length(&instruction);
        if (length > WEFT_SLOT_AFTER_SIZE)
            break;
        more = instruction.kind != WEFT_INSTRUCTION_END &&
               (instruction.kind != WEFT_INSTRUCTION_BRANCH || instruction.conditional);
        window->after[window->after_count++] = instruction;
        at += instruction.length;
    }
}

static const char *take_decoded(struct weft_site_workspace *workspace, struct weft_site *site)
{
    if (!workspace->decoder.library)
        return "not of a known shape, and there is no decoder";
    if (weft_decoder_starts(&workspace->decoder, &workspace->table.texts[site->text], site->syscall) != 1)
        return "its function cannot be decoded";

    struct weft_window all;
    list_neighbours(workspace, site, &all);
    const char *reason = "no window: its neighbours cannot be moved";
    for (size_t after = 0; after <= all.after_count; after++) {
        const uint8_t *end =
            after ? all.after[after - 1].at + all.after[after - 1].length : site->syscall + 2;
        for (size_t before = 0; before <= all.before_count; before++) {
            const uint8_t *start = before ? all.before[before - 1].at : site->syscall;
            if (end - start < JUMP_LENGTH)
                continue;
            struct weft_window window = all;
            window.start = start;
            window.end = end;
            window.before_count = before;
            window.after_count = after;
            reason = take_window(workspace, site, &window);
            if (!reason)
                return NULL;
            break; /* a longer one has the same inside, and more */
        }
    }
    return reason;
}

static const char *take_searched(struct weft_site_workspace *workspace, struct weft_site *site)
{
    const char *obstacle = "not of a known shape";
    if (site->shape != WEFT_SITE_DECODED)
        obstacle = take_shape(workspace, site);
    if (obstacle && (workspace->decoder.library || site->shape == WEFT_SITE_DECODED))
        obstacle = take_decoded(workspace, site);
    return obstacle;
}

static bool is_wanted(const struct weft_site *site, const bool *wanted, size_t wanted_count)
{
    switch (site->number) {
    case SYS_rt_sigreturn: /* debuggers and unwinders know the signal return by its bytes */
        return false;
    case SYS_clone:
    case SYS_clone3:
    case SYS_futex:
    case SYS_exit:
    case -1:
        return true;
    default:
        return site->shape == WEFT_SITE_EXIT_LOOP ||
               ((size_t)site->number < wanted_count && wanted[site->number]);
    }
}

int weft_windows_choose(struct weft_site_workspace *workspace, const bool *wanted, size_t wanted_count,
                        const char **reason)
{
    struct weft_site_table *table = &workspace->table;
    table->redirected = table->left = table->refused = 0;
    workspace->slots_used = 0;
    for (size_t i = 0; i < table->count; i++) {
        struct weft_site *site = &table->sites[i];
        site->fate = WEFT_SITE_LEFT;
        if (!is_wanted(site, wanted, wanted_count)) {
            table->left++;
            continue;
        }
        if (workspace->slots_used == WEFT_SLOT_COUNT) {
            *reason = "libc has more system calls than there are trampolines";
            return -ENOSPC;
        }
        const char *obstacle = workspace->known
                                   ? weft_known_take(workspace, site, &workspace->known->sites[i])
                                   : take_searched(workspace, site);
        if (obstacle) {
            site->fate = WEFT_SITE_REFUSED;
            site->reason = obstacle;
            table->refused++;
        } else {
            table->redirected++;
        }
    }
    return 0;
}
