/* SPDX-License-Identifier: MIT */
/* Lines of text without stdio: built in a buffer, written by one write(2). Callable anywhere. */
#ifndef WEFT_CORE_LOG_H
#define WEFT_CORE_LOG_H

#include <stddef.h>

struct weft_line {
    size_t length;
    char text[400]; /* what does not fit is cut off */
};

void weft_line_text(struct weft_line *line, const char *text);
void weft_line_number(struct weft_line *line, long number);
void weft_line_hex(struct weft_line *line, unsigned long number);
/* `number` with at least `digits` digits, zero-padded. */
void weft_line_padded(struct weft_line *line, unsigned long number, int digits);
void weft_line_write(const struct weft_line *line, int fd);

#endif
