// SPDX-License-Identifier: MIT
//
// What such a program does, its options and its help are all its own.
#include "script.h"
#include "command.h"
#include "library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void script_become(const char *beside, const char *installed, const char *option, const char *value, int argc,
                   char **argv)
{
    char *elsewhere;
    if (asprintf(&elsewhere, "%s/%s", WEFT_LIBEXECDIR, installed) < 0)
        fail("out of memory");
    char *script = weft_file_find(beside, elsewhere);
    if (!script)
        fail("%s not found: neither beside this command nor in '%s'", installed, WEFT_LIBEXECDIR);
    char **words = calloc((size_t)argc + 5, sizeof *words);
    if (!words)
        fail("out of memory");
    int count = 0;
    words[count++] = "python3";
    words[count++] = script;
    if (option) {
        words[count++] = (char *)option;
        words[count++] = (char *)value;
    }
    for (int i = 1; i < argc; i++)
        words[count++] = argv[i];
    execvp(words[0], words);
    fail("cannot run python3, which 'weft %s' needs: %s", argv[0], strerror(errno));
}
