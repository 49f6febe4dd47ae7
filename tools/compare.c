// SPDX-License-Identifier: MIT
//
// `weft compare`: becomes compare.py.
#include "command.h"
#include "library.h"
#include "script.h"

#include <stddef.h>

static int run(int argc, char **argv)
{
    script_become("compare/compare.py", "compare.py", "--weft", command_path(), argc, argv);
}

const struct command command_compare = {
    .name = "compare",
    .summary = "run a server natively and under weft, in turn, under the same load",
    .run = run,
};
