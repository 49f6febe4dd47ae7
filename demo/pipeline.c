// SPDX-License-Identifier: MIT
/*
 * pipeline: a chain of threads joined by bounded queues, each a mutex and two condition variables.
 *
 *     pipeline [STAGES] [ITEMS]       8 stages and 100000 items when not given
 *
 * Every item passes through every stage, which changes it; the checksum of what comes out goes to stdout
 * and does not depend on timing. The speed goes to stderr.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUEUE_SIZE = 16 };

/* A bounded queue; the mutex protects every field. Item 0 is the end of the stream. */
struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    uint64_t items[QUEUE_SIZE];
    unsigned first;
    unsigned count;
};

struct stage {
    pthread_t thread;
    struct queue *from;
    struct queue *to;
    uint64_t number;
};

static void queue_init(struct queue *queue)
{
    memset(queue, 0, sizeof *queue);
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    pthread_cond_init(&queue->not_full, NULL);
}

static void queue_destroy(struct queue *queue)
{
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->mutex);
}

static void queue_put(struct queue *queue, uint64_t item)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == QUEUE_SIZE)
        pthread_cond_wait(&queue->not_full, &queue->mutex);
    queue->items[(queue->first + queue->count) % QUEUE_SIZE] = item;
    queue->count++;
    pthread_cond_signal(&queue->not_empty);
    pthread_mutex_unlock(&queue->mutex);
}

static uint64_t queue_get(struct queue *queue)
{
    uint64_t item;

    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0)
        pthread_cond_wait(&queue->not_empty, &queue->mutex);
    item = queue->items[queue->first];
    queue->first = (queue->first + 1) % QUEUE_SIZE;
    queue->count--;
    pthread_cond_signal(&queue->not_full);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

/* Changes an item as stage `number` does; the result is never 0. */
static uint64_t change(uint64_t item, uint64_t number)
{
    item = (item ^ number) * 0x9e3779b97f4a7c15u;
    return (item ^ (item >> 32)) | 1;
}

static void *run_stage(void *argument)
{
    struct stage *stage = argument;
    uint64_t item;

    while ((item = queue_get(stage->from)) != 0)
        queue_put(stage->to, change(item, stage->number));
    queue_put(stage->to, 0);
    return NULL;
}

struct source {
    struct queue *to;
    uint64_t items;
};

static void *run_source(void *argument)
{
    struct source *source = argument;

    for (uint64_t item = 1; item <= source->items; item++)
        queue_put(source->to, item);
    queue_put(source->to, 0);
    return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *), void *argument)
{
    int error = pthread_create(thread, NULL, function, argument);

    if (error != 0) {
        fprintf(stderr, "pipeline: pthread_create: %s\n", strerror(error));
        exit(1);
    }
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 8;
    struct queue *queues = calloc(count + 1, sizeof *queues);
    struct stage *stages = calloc(count + 1, sizeof *stages);
    struct source source = {.to = queues, .items = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000};
    pthread_t source_thread;
    uint64_t received = 0;
    uint64_t checksum = 0;
    uint64_t item;
    double began = seconds();

    if (queues == NULL || stages == NULL) {
        perror("pipeline");
        return 1;
    }
    for (size_t i = 0; i <= count; i++)
        queue_init(&queues[i]);
    for (size_t i = 0; i < count; i++) {
        stages[i] = (struct stage){.from = &queues[i], .to = &queues[i + 1], .number = i + 1};
        start(&stages[i].thread, run_stage, &stages[i]);
    }
    start(&source_thread, run_source, &source);
    while ((item = queue_get(&queues[count])) != 0) {
        checksum = checksum * 31 + item;
        received++;
    }
    pthread_join(source_thread, NULL);
    for (size_t i = 0; i < count; i++)
        pthread_join(stages[i].thread, NULL);
    fprintf(stderr, "%.0f items/s\n", (double)received / (seconds() - began));
    printf("%zu stages, %llu items, checksum %016llx\n", count, (unsigned long long)received,
           (unsigned long long)checksum);
    for (size_t i = 0; i <= count; i++)
        queue_destroy(&queues[i]);
    free(stages);
    free(queues);
    return 0;
}
