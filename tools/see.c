// SPDX-License-Identifier: MIT
//
// `weft ps` and `weft trace`: become the programs of the same name in see/.
#include "command.h"
#include "script.h"

#include <stddef.h>

static int run_ps(int argc, char **argv)
{
    script_become("see/ps.py", "see/ps.py", NULL, NULL, argc, argv);
}

const struct command command_ps = {
    .name = "ps",
    .summary = "list the coroutines of a running program",
    .run = run_ps,
};

static int run_trace(int argc, char **argv)
{
    script_become("see/trace.py", "see/trace.py", NULL, NULL, argc, argv);
}

const struct command command_trace = {
    .name = "trace",
    .summary = "tables, and JSON for Perfetto, of a recording of WEFT_TRACE",
    .run = run_trace,
};
