/* SPDX-License-Identifier: MIT */
/*
 * record_sites OUTPUT
 *
 * A step of the build: searches the libc that it runs with and writes weft_known_libc (site_known.c) as C.
 * When there is nothing to record (a libc in parts, without a build id, or that cannot be searched here) the
 * record knows no libc, and every one is searched when weft turns on.
 */
#include "site_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 600, PIECES = 32 };

/* The instructions of a window as pieces. Returns their number, -1 where they cannot be decoded. */
static int make_pieces(const struct weft_decoder *decoder, const uint8_t *at, const uint8_t *end,
                       struct weft_known_piece *pieces)
{
    int count = 0;
    while (at < end) {
        struct weft_instruction instruction;
        if (!weft_decoder_instruction(decoder, at, end, &instruction) || count == PIECES)
            return -1;
        at += instruction.length;
        bool plain = instruction.kind == WEFT_INSTRUCTION_PLAIN || instruction.kind == WEFT_INSTRUCTION_END;
        if (plain && count && pieces[count - 1].kind == WEFT_INSTRUCTION_PLAIN) {
            pieces[count - 1].length += instruction.length;
            continue;
        }
        struct weft_known_piece *piece = &pieces[count++];
        *piece = (struct weft_known_piece){.length = instruction.length, .kind = instruction.kind};
        if (plain) {
            piece->kind = WEFT_INSTRUCTION_PLAIN;
        } else if (instruction.kind == WEFT_INSTRUCTION_RELATIVE) {
            piece->displacement_offset = instruction.displacement_offset;
        } else if (instruction.kind == WEFT_INSTRUCTION_BRANCH) {
            bool is_short = instruction.target == at + (int8_t)at[-1];
            piece->displacement_offset = (uint8_t)(instruction.length - (is_short ? 1 : 4));
            piece->condition = instruction.conditional ? instruction.condition : WEFT_ALWAYS;
        } else {
            return -1;
        }
    }
    return count;
}

static struct weft_known_site sites[WEFT_SITE_MAX];
static struct weft_known_piece pieces[WEFT_SITE_MAX * 4];

/* Fills `known` in from what was searched. False when something does not fit. */
static bool record(const struct weft_site_workspace *workspace, struct weft_known_text *known)
{
    const struct weft_site_table *table = &workspace->table;
    const struct weft_text *text = &table->texts[0];
    size_t piece_count = 0;
    if (table->text_count != 1 || !text->build_id_length || text->build_id_length > sizeof(known->build_id))
        return false;
    for (size_t i = 0; i < table->count; i++) {
        const struct weft_site *site = &table->sites[i];
        sites[i] = (struct weft_known_site){
            .offset = (uint32_t)(site->syscall - text->start), .number = site->number, .shape = site->shape};
        if (site->fate != WEFT_SITE_REDIRECTED)
            continue;
        struct weft_known_piece own[2 * PIECES];
        int before = make_pieces(&workspace->decoder, site->window, site->syscall, own);
        int after = before < 0 ? -1
                               : make_pieces(&workspace->decoder, site->syscall + 2,
                                             site->window + site->window_length, own + before);
        if (after < 0 || piece_count + (size_t)(before + after) > sizeof(pieces) / sizeof(pieces[0]))
            return false;
        sites[i].before = (uint8_t)before;
        sites[i].after = (uint8_t)after;
        sites[i].first = (uint16_t)piece_count;
        memcpy(&pieces[piece_count], own, (size_t)(before + after) * sizeof(own[0]));
        piece_count += (size_t)(before + after);
    }
    memcpy(known->build_id, text->build_id, text->build_id_length);
    known->build_id_length = text->build_id_length;
    known->size = (size_t)(text->end - text->start);
    known->sites = sites;
    known->pieces = pieces;
    known->site_count = table->count;
    known->checksum = weft_known_checksum(text->start, known);
    return true;
}

static size_t pieces_of(const struct weft_known_text *known)
{
    size_t end = 0;
    for (size_t i = 0; i < known->site_count; i++)
        if (known->sites[i].before + known->sites[i].after)
            end = known->sites[i].first + known->sites[i].before + known->sites[i].after;
    return end;
}

static void write_record(FILE *file, const struct weft_known_text *known)
{
    fputs("/* Made by record_sites. */\n#include \"site_internal.h\"\n\n", file);
    fputs("static const struct weft_known_site sites[] = {\n", file);
    for (size_t i = 0; i < known->site_count; i++) {
        const struct weft_known_site *site = &known->sites[i];
        fprintf(file, "    {%#x, %d, %d, %d, %d, %d},\n", site->offset, site->number, site->shape,
                site->before, site->after, site->first);
    }
    fputs("};\n\nstatic const struct weft_known_piece pieces[] = {\n", file);
    for (size_t i = 0; i < pieces_of(known); i++) {
        const struct weft_known_piece *piece = &known->pieces[i];
        fprintf(file, "    {%d, %d, %d, %d},\n", piece->length, piece->kind, piece->displacement_offset,
                piece->condition);
    }
    fputs("};\n\nconst struct weft_known_text weft_known_libc = {\n    .build_id = {", file);
    for (size_t i = 0; i < known->build_id_length; i++)
        fprintf(file, "%#x, ", known->build_id[i]);
    fprintf(file, "},\n    .build_id_length = %zu,\n    .size = %zu,\n    .checksum = %#llx,\n",
            known->build_id_length, known->size, (unsigned long long)known->checksum);
    fprintf(file, "    .site_count = %zu,\n    .sites = sites,\n    .pieces = pieces,\n};\n",
            known->site_count);
}

static void write_empty_record(FILE *file, const char *reason)
{
    fprintf(file, "/* Made by record_sites, which has no libc to record: %s. */\n", reason);
    fputs("#include \"site_internal.h\"\n\nconst struct weft_known_text weft_known_libc;\n", file);
}

int main(int count, char **arguments)
{
    static bool wanted[NUMBERS];
    struct weft_site_table *table;
    const char *reason = "it is in parts, or has no build id, or a window that cannot be described";
    if (count != 2) {
        fputs("record_sites: give the file to write\n", stderr);
        return 2;
    }
    struct weft_known_text known = {0};
    bool recorded = false;
    memset(wanted, true, sizeof(wanted));
    if (weft_sites_find(&table, NULL, &reason) == 0) {
        struct weft_site_workspace *workspace = (struct weft_site_workspace *)table;
        recorded = weft_windows_choose(workspace, wanted, NUMBERS, &reason) == 0 && record(workspace, &known);
    }
    FILE *file = fopen(arguments[1], "w");
    if (!file) {
        fprintf(stderr, "record_sites: cannot write %s: %s\n", arguments[1], strerror(errno));
        return 2;
    }
    if (recorded)
        write_record(file, &known);
    else
        write_empty_record(file, reason);
    if (fclose(file) != 0) {
        fprintf(stderr, "record_sites: cannot write %s: %s\n", arguments[1], strerror(errno));
        return 2;
    }
    return 0;
}
