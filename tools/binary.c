// SPDX-License-Identifier: MIT
//
// Looks at a program before it is started.
//
// LD_PRELOAD fails without a word where the loader does not take part (static programs), does not listen
// (programs that change user), or is another one (musl, 32 bits). A user who asked for weft should hear of
// that, so every such case ends in one line of its own. What the kernel does is followed: it decides by the
// contents of a file, not by its name, and ignores the setuid bit of a script.
#include "binary.h"
#include "command.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    SCRIPT_LINE_MAX = 256, // BINPRM_BUF_SIZE: more of a first line than this the kernel does not read
    SCRIPT_DEPTH_MAX = 5,  // scripts whose interpreter is a script
    SEGMENT_MAX = 128,     // program headers; a linker makes about 15
};

static const char glibc_loader[] = "ld-linux-x86-64.so.2";

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// 0 when the kernel would let us execute `path`, else an errno value.
static int executable_error(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    if (!S_ISREG(status.st_mode))
        return EACCES;
    return access(path, X_OK) == 0 ? 0 : errno;
}

__attribute__((noreturn)) static void fail_executable(const char *path, int error)
{
    if (error == ENOENT || error == ENOTDIR)
        fail("command not found: '%s'; check the path", path);
    if (error == EISDIR)
        fail("'%s' is a directory; name a program in it", path);
    if (error == EACCES)
        fail("'%s' is not executable; check its mode (chmod +x) and that of its directories", path);
    fail("cannot execute '%s': %s", path, strerror(error));
}

// PATH, or what execvp takes in its place.
static char *search_path(void)
{
    const char *set = getenv("PATH");
    char *path = NULL;
    if (set) {
        path = strdup(set);
    } else {
        size_t size = confstr(_CS_PATH, NULL, 0);
        path = malloc(size);
        if (path)
            confstr(_CS_PATH, path, size);
    }
    if (!path)
        fail("out of memory");
    return path;
}

char *binary_find(const char *name)
{
    if (strchr(name, '/')) {
        int error = executable_error(name);
        if (error)
            fail_executable(name, error);
        char *copy = strdup(name);
        if (!copy)
            fail("out of memory");
        return copy;
    }
    if (*name == '\0')
        fail("the command is empty; name a program to run");

    char *directories = search_path();
    char *rest = directories;
    char *forbidden = NULL;
    char *directory;
    while ((directory = strsep(&rest, ":")) != NULL) {
        char *path;
        if (asprintf(&path, "%s%s%s", directory, *directory ? "/" : "./", name) < 0)
            fail("out of memory");
        int error = executable_error(path);
        if (error == 0) {
            free(forbidden);
            free(directories);
            return path;
        }
        // A directory of PATH that we may not enter is passed over; a file that we may not execute is told.
        if (error == EACCES && !forbidden && access(path, F_OK) == 0)
            forbidden = path;
        else
            free(path);
    }
    if (forbidden)
        fail_executable(forbidden, EACCES);
    fail("command not found: '%s' is in no directory of PATH; check the name or give a path", name);
}

// Whether executing the file makes the loader distrust the environment (AT_SECURE): it changes the user or
// the group, or gives capabilities to one who is not root.
static bool changes_privileges(int fd, const struct stat *status)
{
    if ((status->st_mode & S_ISUID) && status->st_uid != getuid())
        return true;
    if ((status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP) && status->st_gid != getgid())
        return true;
    return getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

// Reads `size` bytes at `offset`; false when the file has fewer.
static bool read_all(int fd, void *buffer, size_t size, off_t offset)
{
    return pread(fd, buffer, size, offset) == (ssize_t)size;
}

__attribute__((format(printf, 1, 2))) static char *refusal(const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        fail("out of memory");
    va_end(arguments);
    return text;
}

// Returns why nothing can be preloaded into the program, or NULL.
static char *look_at_elf(const char *path, int fd, const Elf64_Ehdr *header)
{
    if (header->e_ident[EI_CLASS] == ELFCLASS32)
        return refusal("'%s' is a 32-bit program; weft runs 64-bit x86-64 programs only", path);
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
        return refusal("'%s' is a program for another machine; weft runs x86-64 programs only", path);
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        fail("'%s' is no program but an object file; link it first", path);

    Elf64_Phdr segments[SEGMENT_MAX];
    size_t count = header->e_phnum;
    if (count > SEGMENT_MAX || header->e_phentsize != sizeof(segments[0]) ||
        !read_all(fd, segments, count * sizeof(segments[0]), (off_t)header->e_phoff))
        fail("'%s' is a damaged ELF file; build or install it again", path);

    const Elf64_Phdr *loader = NULL;
    bool dynamic = false;
    for (size_t i = 0; i < count; i++) {
        if (segments[i].p_type == PT_INTERP)
            loader = &segments[i];
        else if (segments[i].p_type == PT_DYNAMIC)
            dynamic = true;
    }
    // The loader itself can be a command: ld-linux-x86-64.so.2 PROGRAM.
    if (!loader && dynamic && strcmp(base_name(path), glibc_loader) == 0)
        return NULL;
    if (!loader || !dynamic)
        return refusal("'%s' is statically linked, so nothing can be preloaded into it; link it dynamically",
                       path);

    char name[4096] = "";
    if (loader->p_filesz == 0 || loader->p_filesz > sizeof(name) ||
        !read_all(fd, name, loader->p_filesz, (off_t)loader->p_offset) || name[loader->p_filesz - 1] != '\0')
        fail("'%s' is a damaged ELF file; build or install it again", path);
    if (strcmp(base_name(name), glibc_loader) != 0)
        return refusal("'%s' is loaded by '%s', not by glibc's %s (a musl program?); build it for glibc",
                       path, name, glibc_loader);
    if (access(name, X_OK) != 0)
        fail("'%s' needs the loader '%s', which is not here; install it", path, name);
    return NULL;
}

// The interpreter that the `#!` line in `line` names, cut out in place; NULL when it names none.
static char *script_interpreter(char *line)
{
    char *name = line + 2;
    name += strspn(name, " \t");
    name[strcspn(name, " \t\n")] = '\0';
    return *name ? name : NULL;
}

struct binary_look binary_look(const char *path)
{
    char *current = strdup(path);
    for (int depth = 0; current; depth++) {
        int fd = open(current, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            fail("cannot read '%s' to see what it is (%s); make it readable", current, strerror(errno));
        union {
            Elf64_Ehdr elf;
            char line[SCRIPT_LINE_MAX + 1];
        } head;
        memset(&head, 0, sizeof(head));
        ssize_t size = pread(fd, head.line, SCRIPT_LINE_MAX, 0);
        struct stat status;
        if (size < 0 || fstat(fd, &status) != 0)
            fail("cannot read '%s': %s", current, strerror(errno));

        if (size >= 2 && memcmp(head.line, "#!", 2) == 0) {
            const char *interpreter = script_interpreter(head.line);
            if (!interpreter)
                fail("the script '%s' names no interpreter after '#!'; add one", current);
            if (depth == SCRIPT_DEPTH_MAX)
                fail("'%s' is a script of a script, more than %d deep; call the program itself", path,
                     SCRIPT_DEPTH_MAX);
            int error = executable_error(interpreter);
            if (error)
                fail(
                    "the interpreter '%s' of the script '%s' cannot be executed (%s); correct its first line",
                    interpreter, current, strerror(error));
            char *next = strdup(interpreter);
            close(fd);
            free(current);
            current = next;
            continue;
        }
        if (size < SELFMAG || memcmp(head.line, ELFMAG, SELFMAG) != 0)
            fail("'%s' is neither an ELF program nor a script that starts with '#!'; name a program",
                 current);
        if ((size_t)size < sizeof(head.elf) && head.elf.e_ident[EI_CLASS] != ELFCLASS32)
            fail("'%s' is a damaged ELF file; build or install it again", current);
        char *reason = look_at_elf(current, fd, &head.elf);
        if (!reason && changes_privileges(fd, &status))
            reason = refusal("'%s' is setuid or setgid: the loader ignores LD_PRELOAD for it; run it as its "
                             "own user or run a copy without that bit",
                             current);
        close(fd);
        return (struct binary_look){.program = current, .refusal = reason};
    }
    fail("out of memory");
}

void binary_check(const char *path)
{
    struct binary_look look = binary_look(path);
    if (look.refusal)
        fail("%s", look.refusal);
    free(look.program);
}
