/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "raw.h"

static void put(struct weft_line *line, char c)
{
    if (line->length < sizeof line->text)
        line->text[line->length++] = c;
}

void weft_line_text(struct weft_line *line, const char *text)
{
    while (*text)
        put(line, *text++);
}

static void put_digits(struct weft_line *line, unsigned long number, unsigned base, int digits)
{
    char reversed[24];
    int count = 0;
    do {
        reversed[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number || count < digits);
    while (count > 0)
        put(line, reversed[--count]);
}

void weft_line_number(struct weft_line *line, long number)
{
    if (number < 0)
        put(line, '-');
    put_digits(line, number < 0 ? -(unsigned long)number : (unsigned long)number, 10, 1);
}

void weft_line_padded(struct weft_line *line, unsigned long number, int digits)
{
    put_digits(line, number, 10, digits);
}

void weft_line_hex(struct weft_line *line, unsigned long number)
{
    weft_line_text(line, "0x");
    put_digits(line, number, 16, 1);
}

void weft_line_write(const struct weft_line *line, int fd)
{
    weft_raw3(SYS_write, fd, (long)line->text, (long)line->length);
}
