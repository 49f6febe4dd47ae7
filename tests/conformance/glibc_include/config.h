/* SPDX-License-Identifier: MIT */
/* Files that glibc shares with gnulib include one. */
