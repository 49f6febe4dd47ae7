// SPDX-License-Identifier: MIT
//
// `weft compare`: finds compare.py and becomes it. What it does, its options and its help are all there.
#include "command.h"
#include "library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run(int argc, char **argv)
{
    char *script = weft_file_find("compare/compare.py", WEFT_LIBEXECDIR "/compare.py");
    if (!script)
        fail("compare.py not found: neither beside this command nor in '%s'", WEFT_LIBEXECDIR);
    char **words = calloc((size_t)argc + 5, sizeof *words);
    if (!words)
        fail("out of memory");
    int count = 0;
    words[count++] = "python3";
    words[count++] = script;
    words[count++] = "--weft";
    words[count++] = command_path();
    for (int i = 1; i < argc; i++)
        words[count++] = argv[i];
    execvp(words[0], words);
    fail("cannot run python3, which 'weft compare' needs: %s", strerror(errno));
}

const struct command command_compare = {
    .name = "compare",
    .summary = "run a server natively and under weft, in turn, under the same load",
    .run = run,
};
