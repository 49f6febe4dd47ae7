/* SPDX-License-Identifier: MIT */
/*
 * The system as libev.a sees it. libev is linked statically, and the few calls by which it enters the
 * kernel are bound to this file's instead of libc's: so it works on carriers, which have no thread block
 * of glibc's, its descriptors stay out of the program's way, and its sleep has our precision.
 */
#ifndef WEFT_CORE_LIBEV_SYSTEM_H
#define WEFT_CORE_LIBEV_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

struct epoll_event;

/* Called with what epoll_wait has found, before libev sees it: readable what has urgent data. */
void weft_loop_found(struct epoll_event *events, int count);

/* True when libev has something to do before it may sleep. */
bool weft_loop_pending(void);

/* How long the next epoll_wait of this kernel thread may sleep, in ns; WEFT_NEVER: for ever. */
extern __thread int64_t weft_loop_patience __attribute__((tls_model("initial-exec")));

/*
 * Takes a descriptor (or a negative error, which is returned) away from where the program would notice
 * it: moves it to a high number, close-on-exec, and records it as ours. Returns the new number or -errno.
 */
int weft_own_descriptor(long fd);

/* The epoll descriptor that libev has made last. */
int weft_libev_epoll(void);

/* In the child of a fork: nobody holds the lock of the table. */
void weft_own_descriptors_restart(void);

/* Closes one of ours. */
void weft_disown_descriptor(int fd);

#endif
