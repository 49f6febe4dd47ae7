// SPDX-License-Identifier: MIT
//
// Subcommands that are Python programs.
#ifndef WEFT_TOOLS_SCRIPT_H
#define WEFT_TOOLS_SCRIPT_H

// Becomes the Python program `beside`, a path below this command's directory in a build tree, or else
// `installed` below libexec/weft. It gets `option` and `value`, unless they are NULL, and then argv from 1
// on. Does not return: ends the process with one line when that is not possible.
__attribute__((noreturn)) void script_become(const char *beside, const char *installed, const char *option,
                                             const char *value, int argc, char **argv);

#endif
