/* SPDX-License-Identifier: MIT */
/*
 * Instruction lengths and kinds, by Zydis.
 *
 * Zydis is not linked: a child that merely inherits LD_PRELOAD must not pay for loading it, and a system
 * without it should still run. So it is opened by dlopen while sites are looked for, and closed afterwards.
 * Its structures are not stable between minor versions, hence only the version of the headers will do.
 *
 * 1. Decoding is linear, from the start of a function that .eh_frame gives. glibc has no data in its text,
 *    so linear decoding and execution agree on where instructions start.
 * 2. One function is remembered, and decoded only as far as somebody asked: sites come in the order of
 *    their addresses, and their questions lie close together.
 * 3. "Cannot be known" is an answer of its own (-1, NULL), and callers take it as the bad one.
 *
 * Rejected: a length decoder of our own (small, but a second source of truth about x86 to keep right).
 */
#include "site_internal.h"

#include <dlfcn.h>
#include <string.h>

#include <Zydis/Zydis.h>

_Static_assert(sizeof(ZydisDecoder) <= sizeof(((struct weft_decoder *)0)->full), "room for a ZydisDecoder");

/* How far weft_decoder_number follows the code back; WEFT_NEAR_BEFORE remembers jumps into that much. */
#define NUMBER_DISTANCE WEFT_NEAR_BEFORE

typedef ZyanStatus (*decoder_init)(ZydisDecoder *, ZydisMachineMode, ZydisStackWidth);
typedef ZyanStatus (*decoder_enable)(ZydisDecoder *, ZydisDecoderMode, ZyanBool);
typedef ZyanU64 (*version_get)(void);

bool weft_decoder_open(struct weft_decoder *decoder)
{
    char name[32] = WEFT_DECODER_NAME ".so.";
    size_t length = strlen(name);
    name[length++] = (char)('0' + ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) % 10);
    name[length++] = '.';
    name[length++] = (char)('0' + ZYDIS_VERSION_MINOR(ZYDIS_VERSION) % 10);

    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        name[length - 2] = '\0';
        library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    }
    if (!library) {
        dlerror(); /* the program's own dlerror must not speak of it */
        return false;
    }

    version_get version = (version_get)dlsym(library, "ZydisGetVersion");
    decoder_init init = (decoder_init)dlsym(library, "ZydisDecoderInit");
    decoder_enable enable = (decoder_enable)dlsym(library, "ZydisDecoderEnableMode");
    void *decode = dlsym(library, "ZydisDecoderDecodeInstruction");
    void *decode_full = dlsym(library, "ZydisDecoderDecodeFull");
    if (!version || !init || !enable || !decode || !decode_full || version() >> 32 != ZYDIS_VERSION >> 32)
        goto close;

    ZydisDecoder *lengths = (ZydisDecoder *)decoder->lengths;
    ZydisDecoder *full = (ZydisDecoder *)decoder->full;
    if (!ZYAN_SUCCESS(init(lengths, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
        !ZYAN_SUCCESS(enable(lengths, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE)) ||
        !ZYAN_SUCCESS(init(full, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
        goto close;

    memcpy(&decoder->decode, &decode, sizeof(decode));
    memcpy(&decoder->decode_full, &decode_full, sizeof(decode_full));
    decoder->library = library;
    decoder->function = decoder->function_end = NULL;
    return true;
close:
    dlclose(library);
    return false;
}

void weft_decoder_close(struct weft_decoder *decoder)
{
    if (decoder->library)
        dlclose(decoder->library);
    decoder->library = NULL;
    decoder->function = decoder->function_end = NULL;
}

static bool decode_raw(const struct weft_decoder *decoder, const uint8_t *at, const uint8_t *end,
                       ZydisDecodedInstruction *raw)
{
    return at < end &&
           ZYAN_SUCCESS((ZyanStatus)decoder->decode(decoder->lengths, NULL, at, (size_t)(end - at), raw));
}

static bool is_start(const struct weft_decoder *decoder, const uint8_t *at)
{
    size_t offset = (size_t)(at - decoder->function);
    return decoder->starts[offset / 8] >> (offset % 8) & 1;
}

/* Makes the instruction starts up to and including `at` known. */
static bool decode_up_to(struct weft_decoder *decoder, const struct weft_text *text, const uint8_t *at)
{
    if (!decoder->library)
        return false;
    if (at < decoder->function || at >= decoder->function_end || !decoder->function) {
        const uint8_t *start, *end;
        if (!weft_text_function(text, at, &start, &end))
            return false;
        if (end - start > WEFT_FUNCTION_MAX)
            end = start + WEFT_FUNCTION_MAX;
        decoder->function = decoder->decoded = start;
        decoder->function_end = end;
        decoder->broken = false;
        memset(decoder->starts, 0, (size_t)(end - start + 7) / 8);
    }
    while (decoder->decoded <= at && !decoder->broken) {
        ZydisDecodedInstruction raw;
        if (!decode_raw(decoder, decoder->decoded, text->end, &raw)) {
            decoder->broken = true;
            break;
        }
        size_t offset = (size_t)(decoder->decoded - decoder->function);
        decoder->starts[offset / 8] |= (uint8_t)(1 << (offset % 8));
        decoder->decoded += raw.length;
    }
    return at < decoder->decoded && at < decoder->function_end;
}

int weft_decoder_starts(struct weft_decoder *decoder, const struct weft_text *text, const uint8_t *at)
{
    return decode_up_to(decoder, text, at) ? is_start(decoder, at) : -1;
}

const uint8_t *weft_decoder_containing(struct weft_decoder *decoder, const struct weft_text *text,
                                       const uint8_t *at)
{
    if (!decode_up_to(decoder, text, at))
        return NULL;
    while (!is_start(decoder, at))
        at--;
    return at;
}

const uint8_t *weft_decoder_previous(struct weft_decoder *decoder, const struct weft_text *text,
                                     const uint8_t *at)
{
    if (!decode_up_to(decoder, text, at) || at == decoder->function)
        return NULL;
    return weft_decoder_containing(decoder, text, at - 1);
}

static bool is_endbr(const uint8_t *at, size_t length)
{
    return length == 4 && memcmp(at, "\xf3\x0f\x1e\xfa", 4) == 0;
}

bool weft_decoder_instruction(const struct weft_decoder *decoder, const uint8_t *at, const uint8_t *end,
                              struct weft_instruction *instruction)
{
    ZydisDecodedInstruction raw;
    if (!decoder->library || !decode_raw(decoder, at, end, &raw))
        return false;
    memset(instruction, 0, sizeof(*instruction));
    instruction->at = at;
    instruction->length = raw.length;
    instruction->kind = WEFT_INSTRUCTION_PLAIN;

    const uint8_t *next = at + raw.length;
    bool relative = raw.attributes & ZYDIS_ATTRIB_IS_RELATIVE;
    bool legacy = raw.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
    bool one_byte = legacy && raw.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
    bool two_bytes = legacy && raw.opcode_map == ZYDIS_OPCODE_MAP_0F;
    uint8_t opcode = raw.opcode;

    if ((one_byte && (opcode == 0xcd || opcode == 0xcc || opcode == 0xf4)) ||  /* int, int3, hlt */
        (two_bytes && (opcode == 0x05 || opcode == 0x34 || opcode == 0x0b)) || /* syscall, sysenter, ud2 */
        (one_byte && opcode == 0xff && (raw.raw.modrm.reg == 2 || raw.raw.modrm.reg == 3)) || /* call */
        is_endbr(at, raw.length)) {
        instruction->kind = WEFT_INSTRUCTION_FIXED;
    } else if (one_byte && (opcode == 0xc3 || (opcode == 0xff && raw.raw.modrm.reg == 4))) {
        /* ret, or an indirect jmp; one through memory relative to rip is not worth relocating. */
        instruction->kind = relative ? WEFT_INSTRUCTION_FIXED : WEFT_INSTRUCTION_END;
    } else if (relative && raw.raw.imm[0].is_relative) {
        bool short_jcc = one_byte && (opcode & 0xf0) == 0x70;
        bool long_jcc = two_bytes && (opcode & 0xf0) == 0x80;
        bool jmp = one_byte && (opcode == 0xeb || opcode == 0xe9);
        if (!short_jcc && !long_jcc && !jmp) {
            instruction->kind = WEFT_INSTRUCTION_FIXED; /* call, loop, jrcxz, xbegin */
            return true;
        }
        instruction->kind = WEFT_INSTRUCTION_BRANCH;
        instruction->conditional = !jmp;
        instruction->condition = opcode & 0x0f;
        instruction->target = next + raw.raw.imm[0].value.s;
    } else if (relative) {
        if (raw.raw.disp.size != 32 || raw.address_width != 64) {
            instruction->kind = WEFT_INSTRUCTION_FIXED;
            return true;
        }
        instruction->kind = WEFT_INSTRUCTION_RELATIVE;
        instruction->displacement_offset = raw.raw.disp.offset;
        instruction->target = next + raw.raw.disp.value;
    }
    return true;
}

static bool is_accumulator(ZydisRegister reg)
{
    return reg == ZYDIS_REGISTER_AL || reg == ZYDIS_REGISTER_AH || reg == ZYDIS_REGISTER_AX ||
           reg == ZYDIS_REGISTER_EAX || reg == ZYDIS_REGISTER_RAX;
}

static bool writes_accumulator(const ZydisDecodedInstruction *decoded, const ZydisDecodedOperand *operands)
{
    for (unsigned i = 0; i < decoded->operand_count; i++)
        if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER && is_accumulator(operands[i].reg.value) &&
            (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            return true;
    return false;
}

/* The constant that an instruction leaves in rax, or -1. */
static int constant_of(const ZydisDecodedInstruction *decoded, const ZydisDecodedOperand *operands)
{
    if (decoded->operand_count_visible != 2 || operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER ||
        operands[0].size < 32)
        return -1;
    if (decoded->mnemonic == ZYDIS_MNEMONIC_MOV && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
        operands[1].imm.value.u < 600)
        return (int)operands[1].imm.value.u;
    if (decoded->mnemonic == ZYDIS_MNEMONIC_XOR && operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
        operands[1].reg.value == operands[0].reg.value)
        return 0;
    return -1;
}

int weft_decoder_number(struct weft_decoder *decoder, const struct weft_text *text, const uint8_t *syscall,
                        const uint8_t **setter)
{
    const uint8_t *at = weft_decoder_previous(decoder, text, syscall);
    for (; at && syscall - at < NUMBER_DISTANCE; at = weft_decoder_previous(decoder, text, at)) {
        ZydisDecodedInstruction decoded;
        ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
        if (!ZYAN_SUCCESS((ZyanStatus)decoder->decode_full(decoder->full, at, (size_t)(text->end - at),
                                                           &decoded, operands)))
            return -1;
        switch (decoded.meta.category) {
        case ZYDIS_CATEGORY_CALL:
        case ZYDIS_CATEGORY_RET:
        case ZYDIS_CATEGORY_UNCOND_BR:
        case ZYDIS_CATEGORY_SYSCALL:
        case ZYDIS_CATEGORY_SYSRET:
        case ZYDIS_CATEGORY_INTERRUPT:
            return -1;
        default:
            break;
        }
        if (writes_accumulator(&decoded, operands)) {
            *setter = at + decoded.length;
            return constant_of(&decoded, operands);
        }
    }
    return -1;
}
