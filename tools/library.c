// SPDX-License-Identifier: MIT
//
// Finds libweft.so. The nearest one wins, so that a build tree and an unpacked archive work without being
// installed and never pick up an installed object of another version.
#include "library.h"
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_readable_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, R_OK) == 0;
}

// The absolute path of `name` below `directory`, or NULL when no such file can be read.
static char *file_below(const char *directory, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", directory, name) < 0)
        fail("out of memory");
    char *found = is_readable_file(path) ? realpath(path, NULL) : NULL;
    free(path);
    return found;
}

// The directory of this command in `directory`; false when /proc does not tell.
static bool own_directory(char directory[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", directory, PATH_MAX - 1);
    if (length <= 0)
        return false;
    directory[length] = '\0';
    *strrchr(directory, '/') = '\0';
    return true;
}

char *weft_file_find(const char *beside, const char *installed)
{
    char directory[PATH_MAX];
    char *path = own_directory(directory) ? file_below(directory, beside) : NULL;
    return path ? path : file_below("", installed);
}

char *command_path(void)
{
    char *path = realpath("/proc/self/exe", NULL);
    if (!path && (path = strdup("weft")) == NULL)
        fail("out of memory");
    return path;
}

char *library_find(void)
{
    char *path = NULL;
    const char *set = getenv("WEFT_LIBRARY");
    if (set && *set) {
        if (!is_readable_file(set) || (path = realpath(set, NULL)) == NULL)
            fail("library not found: WEFT_LIBRARY is '%s', which is no readable file; correct or unset it",
                 set);
    } else {
        char directory[PATH_MAX];
        if (own_directory(directory)) {
            path = file_below(directory, "libweft.so");
            if (!path)
                path = file_below(directory, "../preload/libweft.so");
        }
        if (!path)
            path = file_below(WEFT_LIBDIR, "libweft.so");
        if (!path)
            fail("library not found: no libweft.so beside this command nor in '%s'; set WEFT_LIBRARY to it",
                 WEFT_LIBDIR);
    }
    if (strpbrk(path, " :"))
        fail("LD_PRELOAD cannot carry a path with a space or a colon: '%s'; set WEFT_LIBRARY to a copy "
             "elsewhere",
             path);
    return path;
}
