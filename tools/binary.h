// SPDX-License-Identifier: MIT
//
// Will the loader put a preloaded object into this program? Found out from the files alone, nothing is
// started.
#ifndef WEFT_TOOLS_BINARY_H
#define WEFT_TOOLS_BINARY_H

// Finds `name` as execvp would: a name with a slash is a path, any other is looked up in PATH. Returns a path
// that the caller frees. Ends the process with one line when there is none that can be executed.
char *binary_find(const char *name);

// Follows `#!` lines from `path` to the program that the kernel will load in the end, and returns when it is
// a dynamically linked x86-64 program of glibc into which the loader will preload. Else ends the process with
// one line that says why not.
void binary_check(const char *path);

#endif
