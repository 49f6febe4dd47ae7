/* SPDX-License-Identifier: MIT */
#include "trace.h"

#include "carrier.h"
#include "timer.h"

unsigned weft_trace_mask;
int weft_trace_fd = 2;

void weft_trace_begin(struct weft_line *line, const struct coroutine *coroutine)
{
    int64_t now = weft_now();
    weft_line_number(line, now / 1000000000);
    weft_line_text(line, ".");
    weft_line_padded(line, (unsigned long)(now % 1000000000), 9);
    if (coroutine) {
        weft_line_text(line, " c=");
        weft_line_number(line, coroutine->tid);
        if (coroutine->carrier && coroutine->carrier->processor) {
            weft_line_text(line, " p=");
            weft_line_number(line, coroutine->carrier->processor->index);
        }
    }
    weft_line_text(line, " ");
}

void weft_trace_end(struct weft_line *line)
{
    if (line->length == sizeof line->text)
        line->length--;
    weft_line_text(line, "\n");
    weft_line_write(line, weft_trace_fd);
}

void weft_trace_park_line(struct coroutine *self)
{
    self->parked_at = weft_now();
    if (!(weft_trace_mask & WEFT_TRACE_SCHED))
        return;
    struct weft_line line = {0};
    weft_trace_begin(&line, self);
    weft_line_text(&line, "park ");
    weft_line_text(&line, weft_reason_names[self->reason]);
    weft_trace_end(&line);
}

void weft_trace_ready_line(struct coroutine *coroutine)
{
    struct weft_line line = {0};
    weft_trace_begin(&line, coroutine);
    weft_line_text(&line, "ready ");
    weft_line_text(&line, weft_reason_names[coroutine->reason]);
    weft_line_text(&line, " result=");
    weft_line_number(&line, coroutine->wake_result);
    weft_trace_end(&line);
}
