// SPDX-License-Identifier: MIT
/*
 * producer_consumer: the classic generator example on weft's own coroutines.
 *
 * The consumer is a coroutine: each resume hands it a product, each yield hands back a receipt. The first
 * resume only brings it to its first yield; product 0 ends it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft.h"

static void *consume(void *first_value, void *argument)
{
    const char *receipt = "";

    (void)first_value;
    for (;;) {
        intptr_t product = (intptr_t)weft_coroutine_yield((void *)receipt);

        if (product == 0)
            return NULL;
        printf("[CONSUMER] Consuming %d...\n", (int)product);
        receipt = argument;
    }
}

static void *resume(struct weft_coroutine *coroutine, intptr_t value)
{
    void *result = NULL;
    int error = weft_coroutine_resume(coroutine, (void *)value, &result);

    if (error != 0) {
        fprintf(stderr, "producer_consumer: resume: %s\n", strerror(-error));
        exit(1);
    }
    return result;
}

static void produce(struct weft_coroutine *consumer)
{
    resume(consumer, 0);
    for (int product = 1; product <= 5; product++) {
        const char *receipt;

        printf("[PRODUCER] Producing %d...\n", product);
        receipt = resume(consumer, product);
        printf("[PRODUCER] Consumer return: %s\n", receipt);
    }
    resume(consumer, 0);
}

int main(void)
{
    static char receipt[] = "200 OK";
    struct weft_coroutine *consumer;
    int error = weft_coroutine_create(&consumer, consume, receipt, 0);

    if (error != 0) {
        fprintf(stderr, "producer_consumer: create: %s\n", strerror(-error));
        return 1;
    }
    produce(consumer);
    if (weft_coroutine_status(consumer) != WEFT_COROUTINE_DEAD)
        return 1;
    return weft_coroutine_close(consumer) != 0;
}
