// SPDX-License-Identifier: MIT
//
// The `weft` command: picks the subcommand and prints the help. A subcommand is one `struct command` in a
// file of its own.
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const commands[] = {&command_run, &command_check, &command_compare, &command_ps,
                                                 &command_trace};
enum { OPTION_HELP = OPTION_FIRST, OPTION_VERSION };
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

void fail(const char *format, ...)
{
    va_list arguments;
    fputs("weft: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(WEFT_EXIT_USAGE);
}

void fail_option(int result, char **argv, const char *help)
{
    // getopt has gone past the word of a long option, but not always past that of a short one ("-xy").
    const char *word = argv[optind - 1];
    if (result == ':')
        fail("option '%s' needs a value; see '%s'", word, help);
    if (optopt >= OPTION_FIRST)
        fail("option '%.*s' takes no value; see '%s'", (int)strcspn(word, "="), word, help);
    if (optopt != 0)
        fail("unknown option '-%c'; see '%s'", optopt, help);
    fail("unknown option '%s'; see '%s'", word, help);
}

static const struct command *command_find(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    fail("no command '%s'; 'weft --help' lists them", name);
}

// The status of a command that only prints: output that did not arrive is an error.
static int finish_output(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "weft: cannot write: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}

static int print_overview(void)
{
    printf("Usage: weft COMMAND [OPTION...] [ARG...]\n"
           "Runs the threads of unmodified programs as coroutines.\n"
           "\n"
           "Commands:\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf("  %-10s %s\n", "help", "say more about one command: weft help COMMAND");
    printf("\n"
           "Options:\n"
           "  --help     print this and exit\n"
           "  --version  print the version and exit\n");
    return finish_output();
}

int print_help(const struct command *command)
{
    if (!command->help)
        return command->run(2, (char *[]){(char *)command->name, (char *)"--help", NULL});
    fputs(command->help, stdout);
    return finish_output();
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    int result = getopt_long(argc, argv, "+:", options, NULL);
    switch (result) {
    case OPTION_HELP:
        return print_overview();
    case OPTION_VERSION:
        printf("weft %s\n", WEFT_VERSION);
        return finish_output();
    case -1:
        break;
    default:
        fail_option(result, argv, "weft --help");
    }
    if (optind == argc)
        fail("no command given; 'weft --help' lists them");

    int rest = argc - optind;
    char **words = argv + optind;
    if (strcmp(words[0], "help") == 0)
        return rest == 1 ? print_overview() : print_help(command_find(words[1]));
    const struct command *command = command_find(words[0]);
    optind = 0;
    return command->run(rest, words);
}
