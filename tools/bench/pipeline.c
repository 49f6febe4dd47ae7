// SPDX-License-Identifier: MIT
/*
 * pipeline STAGES: the demo's chain of threads; one operation is one item's way through one stage. The first
 * stage's items come from the main thread, and a thread takes them from the last one.
 */
#define main pipeline
#include "../../demo/pipeline.c"
#undef main

#include "bench.h"

static size_t stages_wanted;

static void *drain(void *queue)
{
    while (queue_get(queue) != 0)
        continue;
    return NULL;
}

static uint64_t run(uint64_t operations)
{
    size_t count = stages_wanted;
    uint64_t items = operations / count + 1;
    struct queue *queues = calloc(count + 1, sizeof *queues);
    struct stage *stages = calloc(count, sizeof *stages);
    struct source source = {.to = queues, .items = items};
    pthread_t last;

    if (queues == NULL || stages == NULL) {
        perror("pipeline");
        exit(1);
    }
    for (size_t i = 0; i <= count; i++)
        queue_init(&queues[i]);
    for (size_t i = 0; i < count; i++) {
        stages[i] = (struct stage){.from = &queues[i], .to = &queues[i + 1], .number = i + 1};
        bench_start(&stages[i].thread, run_stage, &stages[i]);
    }
    bench_start(&last, drain, &queues[count]);
    uint64_t began = bench_now();
    run_source(&source);
    bench_join(last);
    uint64_t elapsed = bench_now() - began;
    for (size_t i = 0; i < count; i++)
        bench_join(stages[i].thread);
    for (size_t i = 0; i <= count; i++)
        queue_destroy(&queues[i]);
    free(stages);
    free(queues);
    return elapsed * operations / (items * count);
}

int main(int argc, char **argv)
{
    stages_wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (stages_wanted == 0) {
        fprintf(stderr, "usage: %s STAGES [MILLISECONDS]\n", argv[0]);
        return 2;
    }
    return bench_main(argc - 1, argv + 1, run);
}
