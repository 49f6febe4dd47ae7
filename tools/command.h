// SPDX-License-Identifier: MIT
//
// What the parts of the `weft` command share: its subcommands, and the one way to report an error.
#ifndef WEFT_TOOLS_COMMAND_H
#define WEFT_TOOLS_COMMAND_H

// The exit status of every error that weft itself finds, before the program is started.
enum { WEFT_EXIT_USAGE = 2 };

// Ends the process with WEFT_EXIT_USAGE after one line, "weft: ...", on stderr.
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

// Long options get values from here on, above every character: so optopt tells them from short ones.
enum { OPTION_FIRST = 256 };

// Reports what getopt_long, called with opterr 0 and an option string that starts with "+:", returned as ':'
// or '?'. `help` is the command that lists the options.
__attribute__((noreturn)) void fail_option(int result, char **argv, const char *help);

// One subcommand. `help` is NULL when `run` answers --help itself. `run` gets the arguments from its own name
// on and returns the exit status.
struct command {
    const char *name;
    const char *summary;
    const char *help;
    int (*run)(int argc, char **argv);
};

// Prints the help of `command`; returns the exit status.
int print_help(const struct command *command);

extern const struct command command_run, command_check, command_compare, command_ps, command_trace;

#endif
