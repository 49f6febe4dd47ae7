#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns a recording of WEFT_TRACE into tables of who waited for what, and for how long.

Record with 'weft run --trace all:FILE -- PROGRAM', or with fewer words: sched gives the waits and their reasons; io,
futex and thread the calls. Without sched the calls tell how long they were parked, and stand in the place of the reasons.

A wait lasts until the coroutine is made ready; how long it then waited for its turn is not in it (but it is in the time
of a call, and in the JSON). Medians and p99 are exact to three digits.

--json writes trace events that Perfetto (ui.perfetto.dev) and chrome://tracing show: tracks for each processor and each
coroutine.

Exit status: 0; 2 with one line on stderr when FILE cannot be read or a line of it is none of a trace.
"""
import heapq
import os
import sys

sys.dont_write_bytecode = True

import command
import recording
import timeline

UNITS = ("s", 1000000000), ("ms", 1000000), ("us", 1000), ("ns", 1)


def length(nanoseconds):
    """Three digits, or more when the seconds have more."""
    for unit, size in UNITS:
        if nanoseconds >= size:
            value = nanoseconds / size
            return f"{value:,.{max(0, 3 - len(str(int(value))))}f} {unit}"
    return "0"


class Report:
    def __init__(self, top):
        self.top = top
        self.waits = recording.Waits()
        self.by_reason, self.by_coroutine, self.reasons_of = {}, {}, {}
        self.calls = 0
        self.handed = {}  # coroutine: how often the monitor took its processor
        self.slowest = []  # a heap of (took, negative number of the line, event)
        self.lines = 0
        self.first = self.last = None
        self.coroutines, self.processors = set(), set()

    def add(self, event):
        self.lines += 1
        self.first = event.time if self.first is None else min(self.first, event.time)
        self.last = event.time if self.last is None else max(self.last, event.time)
        if event.coroutine:
            self.coroutines.add(event.coroutine)
        if event.processor is not None:
            self.processors.add(event.processor)
        ended = self.waits.follow(event)
        if ended:
            reason, duration = ended
            self.by_reason.setdefault(reason, recording.Durations()).add(duration)
            self.by_coroutine.setdefault(event.coroutine, recording.Durations()).add(duration)
            totals = self.reasons_of.setdefault(event.coroutine, {})
            totals[reason] = totals.get(reason, 0) + duration
        if event.kind == "handed":
            self.handed[event.coroutine] = self.handed.get(event.coroutine, 0) + 1
        if event.kind == "call":
            self.calls += 1
            entry = event.took, -self.lines, event
            if len(self.slowest) < self.top:
                heapq.heappush(self.slowest, entry)
            else:
                heapq.heappushpop(self.slowest, entry)

    def print(self):
        span = 0 if self.first is None else self.last - self.first
        waits = sum(durations.count for durations in self.by_reason.values())
        print(f"{length(span)}: lines {self.lines:,}, coroutines {len(self.coroutines):,}, processors {len(self.processors)}, "
              f"waits {waits:,}, calls {self.calls:,}")
        head = "CALL" if self.waits.from_calls else "REASON"
        print_waits("Waits, by the call" if self.waits.from_calls else "Waits, by their reason", head, self.by_reason)
        main = {coroutine: max(totals, key=totals.get) for coroutine, totals in self.reasons_of.items()}
        print_waits("Waits, by coroutine", "COROUTINE", self.by_coroutine, self.top, ("MOSTLY FOR", main))
        if self.waits.open:
            parks = sorted(self.waits.open.values(), key=lambda park: park.time)
            rows = [(str(park.coroutine), park.what, length(self.last - park.time)) for park in parks[:self.top]]
            print_table(more("Parked at the end", len(parks), self.top), ("COROUTINE", "REASON", "SINCE"), rows, "<<>")
        if self.handed:
            rows = sorted(self.handed.items(), key=lambda item: (-item[1], item[0]))
            print_table(more("Lost its processor: computed for long, or in a call that weft does not know", len(rows), self.top),
                        ("COROUTINE", "COUNT"), [(str(coroutine), f"{count:,}") for coroutine, count in rows[:self.top]], "<>")
        if self.slowest:
            rows = [(length(event.took), "-" if event.parked is None else length(event.parked), str(event.coroutine),
                     f"{event.time // 1000000000}.{event.time % 1000000000:09}", event.text)
                    for _, _, event in sorted(self.slowest, reverse=True)]
            print_table(more("Slowest calls", self.calls, self.top), ("TOOK", "PARKED", "COROUTINE", "ENDED", "CALL"), rows,
                        ">><<<")


def more(title, count, shown):
    return f"{title} (the first {shown} of {count:,})" if count > shown else title


def print_waits(title, head, durations, top=None, added=None):
    if not durations:
        return
    names = sorted(durations, key=lambda name: (-durations[name].total, name))
    rows = [(str(name), f"{each.count:,}", length(each.total), length(each.quantile(50)), length(each.quantile(99)),
             length(each.longest), *([added[1][name]] if added else []))
            for name, each in ((name, durations[name]) for name in names[:top])]
    heads = head, "COUNT", "TOTAL", "MEDIAN", "P99", "MAX", *([added[0]] if added else [])
    print_table(more(title, len(names), top) if top else title, heads, rows, "<>>>>><")


def print_table(title, head, rows, sides):
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    print(f"\n{title}\n")
    for row in (head, *rows):
        print("  ".join(f"{text:{side}{width}}" for text, side, width in zip(row, sides, widths)).rstrip())


def check_file(path):
    if os.path.isdir(path):
        command.fail(f"'{path}' is a directory; name a recording in it")
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        command.fail(f"cannot read '{path}': {error.strerror}")


def open_json(path, source):
    if os.path.exists(path) and os.path.samefile(path, source):
        command.fail(f"--json would write over the recording '{path}'; name another file")
    try:
        return open(path, "w", encoding="ascii")
    except OSError as error:
        command.fail(f"cannot write '{path}': {error.strerror}")


def main():
    parser = command.Parser("trace", __doc__)
    parser.add_argument("--json", metavar="OUT", help="write trace events to OUT")
    parser.add_argument("--top", metavar="N", default="20", help="lines in the long tables (20)")
    parser.add_argument("file", metavar="FILE", help="the recording")
    options = parser.parse_args()
    if not options.top.isdecimal() or int(options.top) == 0:
        command.fail(f"bad number '{options.top}' for --top; give a whole number from 1 on")
    check_file(options.file)
    report = Report(int(options.top))
    if not options.json:
        for event in recording.events(options.file):
            report.add(event)
    else:
        with open_json(options.json, options.file) as file:
            try:
                lines = timeline.Timeline(file)
                for event in recording.events(options.file):
                    report.add(event)
                    lines.add(event)
                lines.end()
            except BaseException:
                if os.path.isfile(options.json):
                    os.unlink(options.json)  # half of it is of no use
                raise
    report.print()
    return 0


command.run(main)
