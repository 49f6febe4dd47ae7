// SPDX-License-Identifier: MIT
//
// Where libweft.so and weft's other files are.
#ifndef WEFT_TOOLS_LIBRARY_H
#define WEFT_TOOLS_LIBRARY_H

// Returns the absolute path of libweft.so, which the caller frees: $WEFT_LIBRARY when it is set, else the one
// beside this command, in ../preload of a build tree, or where weft was installed. Ends the process with one
// line when there is none, or when LD_PRELOAD cannot carry its path.
char *library_find(void);

// Returns the absolute path, which the caller frees, of the file `beside` below this command's directory,
// else of the absolute path `installed`; NULL when neither can be read.
char *weft_file_find(const char *beside, const char *installed);

// Returns the absolute path of this command, which the caller frees; "weft" when /proc does not tell.
char *command_path(void);

#endif
