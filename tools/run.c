// SPDX-License-Identifier: MIT
//
// `weft run`: sets the environment that libweft.so reads, and becomes the program.
//
// Everything that would make the program run natively in silence is checked first, since afterwards there is
// nobody left who could say so.
#include "binary.h"
#include "command.h"
#include "library.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROCESSORS_MAX = 200 };
enum { OPTION_PROCESSORS = OPTION_FIRST, OPTION_TRACE, OPTION_HELP };

static const char *const trace_words[] = {"io", "futex", "sched", "thread", "all"};

// A fresh string; never NULL.
__attribute__((format(printf, 1, 2))) static char *format_text(const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        fail("out of memory");
    va_end(arguments);
    return text;
}

static void set_variable(const char *name, const char *value)
{
    if (setenv(name, value, 1) != 0)
        fail("cannot set %s: %s", name, strerror(errno));
}

static void check_processors(const char *text)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number < 1 ||
        number > PROCESSORS_MAX)
        fail("bad number '%s' for --processors; give a whole number from 1 to %d", text, PROCESSORS_MAX);
}

static bool is_trace_word(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(trace_words) / sizeof(trace_words[0]); i++)
        if (strlen(trace_words[i]) == length && memcmp(trace_words[i], text, length) == 0)
            return true;
    return false;
}

static void check_trace_file(const char *file)
{
    struct stat status;
    if (stat(file, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            fail("cannot write the trace file '%s': it is a directory; name a file in it", file);
        if (access(file, W_OK) != 0)
            fail("cannot write the trace file '%s': %s; name another", file, strerror(errno));
        return;
    }
    char *directory = format_text("%s", file);
    char *slash = strrchr(directory, '/');
    slash[slash == directory] = '\0';
    if (access(directory, W_OK | X_OK) != 0)
        fail("cannot write the trace file '%s': directory '%s': %s; name another", file, directory,
             strerror(errno));
    free(directory);
}

// Checks WHAT[:FILE] and returns it with FILE as an absolute path, since the program may change its
// directory.
static char *checked_trace(const char *text)
{
    size_t length = strcspn(text, ":");
    for (size_t start = 0;; start++) {
        size_t word = strcspn(text + start, ",:");
        if (!is_trace_word(text + start, word))
            fail("unknown trace word '%.*s'; the words are io, futex, sched, thread and all", (int)word,
                 text + start);
        start += word;
        if (start >= length)
            break;
    }
    if (text[length] == '\0')
        return format_text("%s", text);

    const char *file = text + length + 1;
    if (*file == '\0')
        fail("no file after the colon in '%s'; name one or leave the colon out", text);
    char *absolute;
    if (*file == '/') {
        absolute = format_text("%s", file);
    } else {
        char *here = getcwd(NULL, 0);
        if (!here)
            fail("cannot tell the current directory: %s; give an absolute trace file", strerror(errno));
        absolute = format_text("%s/%s", here, file);
        free(here);
    }
    check_trace_file(absolute);
    char *trace = format_text("%.*s:%s", (int)length, text, absolute);
    free(absolute);
    return trace;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"processors", required_argument, NULL, OPTION_PROCESSORS},
        {"trace", required_argument, NULL, OPTION_TRACE},
        {"help", no_argument, NULL, OPTION_HELP},
        {NULL, 0, NULL, 0},
    };
    const char *processors = NULL;
    char *trace = NULL;
    int result;
    opterr = 0;
    while ((result = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
        switch (result) {
        case OPTION_PROCESSORS:
            check_processors(optarg);
            processors = optarg;
            break;
        case OPTION_TRACE:
            free(trace);
            trace = checked_trace(optarg);
            break;
        case OPTION_HELP:
            return print_help(&command_run);
        default:
            fail_option(result, argv, "weft help run");
        }
    }
    if (optind == argc)
        fail("no command to run; try 'weft run COMMAND [ARG...]'");

    char *path = binary_find(argv[optind]);
    binary_check(path);
    char *library = library_find();
    const char *preload = getenv("LD_PRELOAD");
    char *list = preload && *preload ? format_text("%s:%s", library, preload) : format_text("%s", library);
    set_variable("LD_PRELOAD", list);
    if (processors)
        set_variable("WEFT_PROCESSORS", processors);
    if (trace)
        set_variable("WEFT_TRACE", trace);
    execv(path, argv + optind);
    fail("cannot execute '%s': %s", path, strerror(errno));
}

const struct command command_run = {
    .name = "run",
    .summary = "run a program with its threads as coroutines",
    .help = "Usage: weft run [OPTION...] [--] COMMAND [ARG...]\n"
            "Runs COMMAND, its threads being coroutines. Its input, output and exit status are its own.\n"
            "\n"
            "Options:\n"
            "  --processors N       run coroutines on N kernel threads at a time, 1 to 200\n"
            "                       (otherwise as many as CPUs it may run on)\n"
            "  --trace WHAT[:FILE]  write what happens to FILE, or to stderr; WHAT is one or more of\n"
            "                       io, futex, sched, thread, all, separated by commas\n"
            "  --help               print this and exit\n"
            "\n"
            "Environment:\n"
            "  WEFT_LIBRARY         the libweft.so to use\n"
            "  LD_PRELOAD           kept; libweft.so is put before what it names\n"
            "\n"
            "Exit status: that of COMMAND; 2 with one line on stderr when it cannot be run under weft.\n",
    .run = run,
};
