/* SPDX-License-Identifier: MIT */
/*
 * Texts: the executable segment of a loaded object, and its functions.
 *
 * Function starts come from the sorted table of .eh_frame_hdr, which every object has that can be unwound
 * through; symbol tables are stripped of most local functions. One encoding of it is understood, the
 * one that all x86-64 linkers write; anything else is refused rather than guessed. Only read, never written.
 */
#include "site_internal.h"

#include <errno.h>
#include <link.h>
#include <string.h>

/* .eh_frame_hdr: version 1, count udata4, table of pairs sdata4 relative to the header. */
struct frame_header {
    uint8_t version, frame_encoding, count_encoding, table_encoding;
    int32_t frame;
    uint32_t count;
    int32_t table[];
};

#define ENCODING_PCREL_SDATA4   0x1b
#define ENCODING_UDATA4         0x03
#define ENCODING_DATAREL_SDATA4 0x3b

struct text_search {
    uintptr_t address;
    const char *name; /* or, if not NULL: the start of the file's name */
    bool found;
    const ElfW(Phdr) * code, *frames, *data; /* data: the segment that frames lies in */
    const uint8_t *build_id;
    size_t build_id_length;
    uintptr_t base;
};

/* Looks for the build id among the notes of an object. */
static void search_notes(struct text_search *search, const uint8_t *notes, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)notes;
        size_t name = (note->n_namesz + 3) & ~(size_t)3, description = (note->n_descsz + 3) & ~(size_t)3;
        if (name + description > size - sizeof(*note))
            return;
        const uint8_t *text = notes + sizeof(*note);
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(text, "GNU", 4) == 0) {
            search->build_id = text + name;
            search->build_id_length = note->n_descsz;
            return;
        }
        notes += sizeof(*note) + name + description;
        size -= sizeof(*note) + name + description;
    }
}

static int search_object(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    struct text_search *search = argument;
    const ElfW(Phdr) *code = NULL, *frames = NULL, *data = NULL;
    bool contains = false;

    if (search->name) {
        const char *file = strrchr(info->dlpi_name, '/');
        contains = file && strncmp(file + 1, search->name, strlen(search->name)) == 0;
    }
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_GNU_EH_FRAME)
            frames = header;
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
            continue;
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        bool here = search->address >= start && search->address < start + header->p_memsz;
        if (here || !code)
            code = header;
        if (here && !search->name)
            contains = true;
    }
    if (!contains || !code)
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum && frames; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD && frames->p_vaddr - header->p_vaddr < header->p_memsz)
            data = header;
    }
    for (size_t i = 0; i < info->dlpi_phnum && !search->build_id; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_NOTE && header->p_align <= 4)
            search_notes(search, (const uint8_t *)info->dlpi_addr + header->p_vaddr, header->p_memsz);
    }
    search->found = true;
    search->code = code;
    search->frames = data ? frames : NULL;
    search->data = data;
    search->base = info->dlpi_addr;
    return 1;
}

static int text_find(struct text_search *search, struct weft_text *text, const char **reason)
{
    dl_iterate_phdr(search_object, search);
    if (!search->found) {
        *reason = "the object with libc's code is not found";
        return -ENOENT;
    }
    if (!search->frames || (search->code->p_flags & PF_W)) {
        *reason = search->frames ? "libc's code is mapped writable" : "libc has no .eh_frame_hdr";
        return -ENOENT;
    }
    const struct frame_header *header = (const void *)(search->base + search->frames->p_vaddr);
    if (header->version != 1 || header->frame_encoding != ENCODING_PCREL_SDATA4 ||
        header->count_encoding != ENCODING_UDATA4 || header->table_encoding != ENCODING_DATAREL_SDATA4 ||
        header->count > (search->frames->p_memsz - sizeof(*header)) / (2 * sizeof(int32_t))) {
        *reason = "libc's .eh_frame_hdr has an encoding that is not known";
        return -ENOENT;
    }
    text->start = (uint8_t *)(search->base + search->code->p_vaddr);
    text->end = text->start + search->code->p_memsz;
    text->header = (const uint8_t *)header;
    text->entries = header->table;
    text->function_count = header->count;
    text->data = (const uint8_t *)(search->base + search->data->p_vaddr);
    text->data_end = text->data + search->data->p_filesz;
    text->build_id = search->build_id;
    text->build_id_length = search->build_id_length;
    if ((size_t)(text->end - text->start) > WEFT_TEXT_SIZE_MAX) {
        *reason = "libc's code is larger than expected";
        return -E2BIG;
    }
    return 0;
}

int weft_text_find(const void *address, struct weft_text *text, const char **reason)
{
    struct text_search search = {.address = (uintptr_t)address};
    return text_find(&search, text, reason);
}

int weft_text_find_file(const char *name, struct weft_text *text, const char **reason)
{
    struct text_search search = {.name = name};
    return text_find(&search, text, reason);
}

bool weft_text_function(const struct weft_text *text, const uint8_t *at, const uint8_t **start,
                        const uint8_t **end)
{
    size_t low = 0, high = text->function_count; /* entries below low start at or before `at` */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (text->header + text->entries[2 * middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    *start = text->header + text->entries[2 * (low - 1)];
    *end = low < text->function_count ? text->header + text->entries[2 * low] : text->end;
    if (*end > text->end)
        *end = text->end;
    return *start >= text->start && at < *end;
}
