// SPDX-License-Identifier: MIT
//
// Where libweft.so is.
#ifndef WEFT_TOOLS_LIBRARY_H
#define WEFT_TOOLS_LIBRARY_H

// Returns the absolute path of libweft.so, which the caller frees: $WEFT_LIBRARY when it is set, else the one
// beside this command, in ../preload of a build tree, or where weft was installed. Ends the process with one
// line when there is none, or when LD_PRELOAD cannot carry its path.
char *library_find(void);

#endif
