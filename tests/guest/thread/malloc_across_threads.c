// SPDX-License-Identifier: MIT
// Claims: memory that one thread allocates another may resize and free, under load from many threads; no
// block changes while it lies between them.
#include <sched.h>
#include "guest.h"

#define THREADS 8
#define ROUNDS  1500
#define SLOTS   64

struct block {
    size_t size;
    unsigned char bytes[];
};

static struct block *slots[SLOTS];

static void check_block(const struct block *block)
{
    for (size_t i = 0; i < block->size; i++)
        CHECK_EQUAL(block->bytes[i], (unsigned char)(block->size + i));
}

static struct block *resize(struct block *block, size_t size)
{
    block = (struct block *)realloc(block, sizeof(*block) + size);
    CHECK(block != NULL);
    block->size = size;
    for (size_t i = 0; i < size; i++)
        block->bytes[i] = (unsigned char)(size + i);
    return block;
}

static void *body(void *index)
{
    unsigned random = (unsigned)(intptr_t)index + 1;
    intptr_t balance = 0;

    for (int i = 0; i < ROUNDS; i++) {
        random = random * 1103515245 + 12345;
        size_t size = (random >> 16) % (i % 100 == 0 ? 200000 : 600);
        struct block *block = resize(NULL, size);
        balance++;
        if (i % 32 == 0)
            sched_yield();
        block = __atomic_exchange_n(&slots[(random >> 8) % SLOTS], block, __ATOMIC_ACQ_REL);
        if (block == NULL)
            continue;
        check_block(block);
        if (random % 4 == 0)
            check_block(block = resize(block, block->size / 2 + 10));
        free(block);
        balance--;
    }
    return (void *)balance;
}

int main(void)
{
    intptr_t left = guest_threads(THREADS, body);
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i] == NULL)
            continue;
        check_block(slots[i]);
        free(slots[i]);
        left--;
    }
    printf("unaccounted blocks: %ld\n", (long)left);
    CHECK_EQUAL(left, 0);
    return guest_success();
}
