/* SPDX-License-Identifier: MIT */
/*
 * The memory functions that compilers call on their own. libc's use vector registers, which belong to
 * the program while a hook runs; these, hidden in this object, use none.
 */
#include <stddef.h>
#include <stdint.h>

#define HIDDEN __attribute__((visibility("hidden"), used))

HIDDEN void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

HIDDEN void *memset(void *to, int byte, size_t size)
{
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return result;
}

HIDDEN void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size);
    char *end = (char *)to + size - 1;
    const char *source = (const char *)from + size - 1;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(end), "+S"(source), "+c"(size) : : "memory");
    return to;
}

HIDDEN int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left, *b = right;
    for (; size > 0; a++, b++, size--)
        if (*a != *b)
            return *a - *b;
    return 0;
}
