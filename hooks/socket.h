/* SPDX-License-Identifier: MIT */
/*
 * Blocking calls on sockets, made of attempts with MSG_DONTWAIT and parks between them. All return what the
 * kernel's blocking call would and may park (reasons: read, write). `descriptor` may be NULL.
 */
#ifndef WEFT_HOOKS_SOCKET_H
#define WEFT_HOOKS_SOCKET_H

#include <stddef.h>
#include <sys/socket.h>

#include "descriptor.h"

/* False for what the kernel answers at once: no socket, or one that is known to be O_NONBLOCK. */
static inline bool weft_socket_may_wait(int fd, struct weft_descriptor *descriptor)
{
    return weft_kind_is_socket(weft_descriptor_kind_of(fd, descriptor)) &&
           !weft_descriptor_never_waits(descriptor);
}

long weft_socket_receive(int fd, struct weft_descriptor *descriptor, void *buffer, size_t size, int flags,
                         void *address, void *address_size);
long weft_socket_receive_message(int fd, struct weft_descriptor *descriptor, struct msghdr *message,
                                 int flags);
long weft_socket_send(int fd, struct weft_descriptor *descriptor, const void *buffer, size_t size, int flags,
                      const void *address, size_t address_size);
long weft_socket_send_message(int fd, struct weft_descriptor *descriptor, const struct msghdr *message,
                              int flags);

/* writev on a socket. */
long weft_socket_writev(int fd, struct weft_descriptor *descriptor, const struct iovec *vector, long count);

#endif
