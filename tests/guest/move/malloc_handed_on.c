// SPDX-License-Identifier: MIT
// Memory that one thread takes and another gives back, with stops between: the caches and arenas of malloc
// belong to threads, and must not be confused by where these run.
#include "move.h"
#include <stdatomic.h>

enum { SLOTS = 64 };

struct block {
    size_t size;
    unsigned char fill, bytes[];
};

static _Atomic(struct block *) slots[SLOTS];

static struct block *block_take(struct mover *mover)
{
    size_t size = 1 + mover_random(mover, mover_random(mover, 8) ? 600 : 40000);
    struct block *block = malloc(sizeof *block + size);
    CHECK(block != NULL);
    block->size = size;
    block->fill = (unsigned char)mover_random(mover, 256);
    move(mover);
    memset(block->bytes, block->fill, size);
    return block;
}

static void block_check(const struct block *block)
{
    for (size_t i = 0; i < block->size; i++)
        CHECK_EQUAL(block->bytes[i], block->fill);
}

static struct block *block_grow(struct mover *mover, struct block *block)
{
    size_t size = block->size * 2;
    struct block *grown = realloc(block, sizeof *block + size);
    CHECK(grown != NULL);
    block_check(grown);
    move(mover);
    memset(grown->bytes, grown->fill, size);
    grown->size = size;
    return grown;
}

static void *body(void *index)
{
    struct mover mover = mover_begin((int)(intptr_t)index);
    for (int i = 0; i < MOVE_ROUNDS; i++) {
        struct block *mine = block_take(&mover);
        if (i % 4 == 0)
            mine = block_grow(&mover, mine);
        struct block *other = atomic_exchange(&slots[mover_random(&mover, SLOTS)], mine);
        if (!other)
            continue;
        block_check(other);
        move(&mover);
        free(other);
    }
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    guest_threads(MOVE_THREADS, body);
    for (int i = 0; i < SLOTS; i++) {
        struct block *left = atomic_load(&slots[i]);
        if (left)
            block_check(left);
        free(left);
    }
    puts("all blocks were whole");
    return move_success();
}
