/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "../../core/log.h"

/* The line as a string. */
static const char *text_of(const struct weft_line *line)
{
    static char text[sizeof line->text + 1];
    memcpy(text, line->text, line->length);
    text[line->length] = 0;
    return text;
}

static void test_text_is_appended(void **state)
{
    struct weft_line line = {0};
    (void)state;
    weft_line_text(&line, "read");
    weft_line_text(&line, "");
    weft_line_text(&line, "(3)");
    assert_string_equal(text_of(&line), "read(3)");
}

static void test_numbers_are_those_of_printf(void **state)
{
    const long numbers[] = {0, 1, -1, 9, 10, -10, 12345678, INT_MIN, LONG_MAX, LONG_MIN};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct weft_line line = {0}, hex = {0}, padded = {0};
        char expected[64];
        weft_line_number(&line, numbers[i]);
        snprintf(expected, sizeof expected, "%ld", numbers[i]);
        assert_string_equal(text_of(&line), expected);
        weft_line_hex(&hex, (unsigned long)numbers[i]);
        snprintf(expected, sizeof expected, "0x%lx", (unsigned long)numbers[i]);
        assert_string_equal(text_of(&hex), expected);
        weft_line_padded(&padded, (unsigned long)numbers[i], 9);
        snprintf(expected, sizeof expected, "%09lu", (unsigned long)numbers[i]);
        assert_string_equal(text_of(&padded), expected);
    }
}

static void test_what_does_not_fit_is_cut_off(void **state)
{
    struct {
        struct weft_line line;
        char behind[16];
    } guarded = {0};
    (void)state;
    memset(guarded.behind, 'x', sizeof guarded.behind);
    for (size_t i = 0; i < sizeof guarded.line.text - 2; i++)
        weft_line_text(&guarded.line, "a");
    weft_line_number(&guarded.line, 12345);
    assert_int_equal(guarded.line.length, sizeof guarded.line.text);
    assert_memory_equal(guarded.line.text + sizeof guarded.line.text - 4, "aa12", 4);
    weft_line_text(&guarded.line, "more");
    weft_line_hex(&guarded.line, ULONG_MAX);
    assert_int_equal(guarded.line.length, sizeof guarded.line.text);
    assert_memory_equal(guarded.behind, "xxxxxxxxxxxxxxxx", sizeof guarded.behind);
}

static void test_a_line_is_written_by_one_write(void **state)
{
    int pipe_fds[2];
    char buffer[800];
    struct weft_line line = {0};
    (void)state;
    assert_int_equal(pipe2(pipe_fds, 0x4000 /* O_DIRECT: packets */), 0);
    weft_line_text(&line, "one\n");
    weft_line_write(&line, pipe_fds[1]);
    weft_line_write(&line, pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], buffer, sizeof buffer), 4);
    assert_memory_equal(buffer, "one\n", 4);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_appended),
        cmocka_unit_test(test_numbers_are_those_of_printf),
        cmocka_unit_test(test_what_does_not_fit_is_cut_off),
        cmocka_unit_test(test_a_line_is_written_by_one_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
