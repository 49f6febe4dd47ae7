/* SPDX-License-Identifier: MIT */
/* What glibc's build would define for its tests; included before each of their files. TREE is its source. */
#include <limits.h>

#define TIMEOUTFACTOR        1
#define SRCDIR_PATH          TREE
#define OBJDIR_PATH          TREE
#define OBJDIR_ELF_LDSO_PATH TREE "/elf/ld.so"
#define INSTDIR_PATH         TREE "/installed"
#define LIBDIR_PATH          "/usr/lib"
#define BINDIR_PATH          "/usr/bin"
#define SBINDIR_PATH         "/usr/sbin"
#define ROOTSBINDIR_PATH     "/sbin"
#define ROOTDIR_PATH         "/"
#define COMPLOCALEDIR_PATH   "/usr/lib/locale"
#define SYSCONFDIR_PATH      "/etc"
#define CONFDIR_PATH         "/etc"
#define SLIBDIR_PATH         "/lib"
#define libc_hidden_def(name)
#define libc_hidden_proto(name)
#define weak_alias(name, alias)
#define __set_errno(value) (errno = (value))
#ifndef __glibc_likely
#define __glibc_likely(condition)   __builtin_expect((condition), 1)
#define __glibc_unlikely(condition) __builtin_expect((condition), 0)
#endif
