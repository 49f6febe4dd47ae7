// SPDX-License-Identifier: MIT
//
// `weft check`: says whether weft will help a program. What `weft run` refuses is told here; what the program
// and its libraries import is check.py's part.
#include "binary.h"
#include "command.h"
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WILL_NOT_HELP = 1 };

static int run(int argc, char **argv)
{
    const char *name = argc == 2 && argv[1][0] != '-' ? argv[1] : NULL;
    if (!name) // help, or a mistake
        script_become("see/check.py", "see/check.py", NULL, NULL, argc, argv);
    struct binary_look look = binary_look(binary_find(name));
    if (!look.refusal)
        script_become("see/check.py", "see/check.py", "--program", look.program, argc, argv);
    printf("no: %s\n", look.refusal);
    if (fflush(stdout) != 0)
        fail("cannot write: %s", strerror(errno));
    return WILL_NOT_HELP;
}

const struct command command_check = {
    .name = "check",
    .summary = "say beforehand whether weft will help a program, and why",
    .run = run,
};
