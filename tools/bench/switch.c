// SPDX-License-Identifier: MIT
/* switch: weft's coroutine primitive alone; one operation is a resume and the yield that answers it. */
#include "bench.h"
#include "weft.h"

static void *bounce(void *value, void *argument)
{
    (void)argument;
    for (;;)
        value = weft_coroutine_yield(value);
    return NULL;
}

static uint64_t run(uint64_t operations)
{
    struct weft_coroutine *coroutine;
    uint64_t began;

    bench_check(-weft_coroutine_create(&coroutine, bounce, NULL, 0), "weft_coroutine_create");
    began = bench_now();
    for (uint64_t i = 0; i < operations; i++) {
        void *value;

        bench_check(-weft_coroutine_resume(coroutine, NULL, &value), "weft_coroutine_resume");
    }
    began = bench_now() - began;
    bench_check(-weft_coroutine_close(coroutine), "weft_coroutine_close");
    return began;
}

int main(int argc, char **argv)
{
    return bench_main(argc, argv, run);
}
