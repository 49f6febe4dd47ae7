// SPDX-License-Identifier: MIT
//
// Will the loader put a preloaded object into this program? Found out from the files alone, nothing is
// started.
#ifndef WEFT_TOOLS_BINARY_H
#define WEFT_TOOLS_BINARY_H

// Finds `name` as execvp would: a name with a slash is a path, any other is looked up in PATH. Returns a path
// that the caller frees. Ends the process with one line when there is none that can be executed.
char *binary_find(const char *name);

struct binary_look {
    char *program; // what the kernel loads in the end: `path`, or the interpreter of a script
    char *refusal; // why nothing can be preloaded into it; NULL: the loader will preload
};

// Follows `#!` lines from `path` to the program that the kernel will load in the end, and tells whether it is
// a dynamically linked x86-64 program of glibc into which the loader will preload. Ends the process with one
// line when it is no program that could be run here at all. The caller frees both texts.
struct binary_look binary_look(const char *path);

// The same, but ends the process when there is a refusal, too.
void binary_check(const char *path);

#endif
