// SPDX-License-Identifier: MIT
// Claims: threads create and join threads of their own, to any depth.
#include "guest.h"

static void *node(void *depth)
{
    if (depth == NULL)
        return (void *)1;
    pthread_t left = guest_start(node, (char *)depth - 1);
    pthread_t right = guest_start(node, (char *)depth - 1);
    return (char *)guest_join(left) + (intptr_t)guest_join(right) + 1;
}

int main(void)
{
    intptr_t nodes = (intptr_t)guest_join(guest_start(node, (void *)7));
    printf("nodes: %ld\n", (long)nodes);
    CHECK_EQUAL(nodes, 255);
    return guest_success();
}
