# SPDX-License-Identifier: MIT
"""Writes the events of a recording as Chrome's trace events (JSON), which Perfetto and chrome://tracing show.

Two groups of tracks:

    processors    for each: which coroutine ran, from its first line after a wait to its next park
    coroutines    for each: its calls; inside of these parked (until it was made ready) and ready (until it ran)

A dispatch has no line of its own, so a run begins where the first line of the coroutine says that it runs. A coroutine
that computes may have lost its processor without knowing: who is seen on it next ends its run.
"""
import collections
import json

PROCESSORS, COROUTINES = 1, 2
PARKS = 1000  # of one call that are remembered
PRECISION = 1000  # ns: calls take whole microseconds, rounded down


class Coroutine:
    """What is open on its track. Times are ns; 0: not."""

    def __init__(self):
        self.parked_at = self.ready_at = self.last_call = 0
        self.turn = None  # (made ready, next park), until the call is known that the park is in
        self.parks = collections.deque(maxlen=PARKS)  # since its last call
        self.reason = ""
        self.runs_since, self.processor = 0, None


class Timeline:
    def __init__(self, file):
        self.file = file
        self.begin = None
        self.coroutines = {}
        self.free_since = {}  # processor: when its last run ended
        self.running = {}  # processor: number of the coroutine
        self.last = 0
        file.write('{"displayTimeUnit":"ns","traceEvents":[\n')
        self.name("process_name", PROCESSORS, 0, "processors", first=True)
        self.name("process_name", COROUTINES, 0, "coroutines")

    def put(self, event, first=False):
        self.file.write(("" if first else ",\n") + json.dumps(event, separators=(",", ":")))

    def name(self, kind, process, thread, name, first=False):
        self.put({"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}, first)

    def slice(self, process, thread, name, begin, end, **arguments):
        event = {"ph": "X", "name": name, "pid": process, "tid": thread, "ts": (begin - self.begin) / 1000,
                 "dur": max(0, end - begin) / 1000}
        if arguments:
            event["args"] = arguments
        self.put(event)

    def instant(self, event, scope, process, thread, name):
        self.put({"ph": "i", "s": scope, "name": name, "pid": process, "tid": thread, "ts": (event.time - self.begin) / 1000})

    def add(self, event):
        if self.begin is None:
            self.begin = event.time
        self.last = max(self.last, event.time)
        if event.kind == "note":
            self.instant(event, "g", PROCESSORS, 0, event.what)
            return
        coroutine = self.coroutines.get(event.coroutine)
        if not coroutine:
            coroutine = self.coroutines[event.coroutine] = Coroutine()
            self.name("thread_name", COROUTINES, event.coroutine, f"coroutine {event.coroutine}")
        if event.kind == "ready":
            self.ready(event, coroutine)
        elif event.kind == "handed":
            self.instant(event, "t", COROUTINES, event.coroutine, event.what)
            self.stops(event.coroutine, coroutine, event.time)
        else:
            self.runs(event, coroutine)

    def ready(self, event, coroutine):
        if coroutine.parked_at:
            self.slice(COROUTINES, event.coroutine, f"parked: {coroutine.reason}", coroutine.parked_at, event.time)
        coroutine.parked_at, coroutine.ready_at = 0, event.time

    def runs(self, event, coroutine):
        """A line that the coroutine wrote itself."""
        since = self.call_began(event, coroutine) if event.kind == "call" else event.time
        self.turn_came(event.coroutine, coroutine, since)
        if coroutine.ready_at:
            coroutine.turn = coroutine.ready_at, event.time
            coroutine.ready_at = 0
            if event.kind != "park":
                self.turn_came(event.coroutine, coroutine, since)
        self.occupies(event, coroutine)
        if event.kind == "park":
            self.stops(event.coroutine, coroutine, event.time)
            coroutine.parked_at, coroutine.reason = event.time, event.what
            coroutine.parks.append(event.time)
        elif event.kind == "exit":
            self.stops(event.coroutine, coroutine, event.time)
        elif event.kind == "call":
            self.slice(COROUTINES, event.coroutine, event.what, since, event.time, call=event.text)
            coroutine.last_call = event.time
            coroutine.parks.clear()
        elif event.kind == "create":
            self.instant(event, "t", COROUTINES, event.coroutine, f"create {event.what}")

    def turn_came(self, number, coroutine, since):
        """It was ready until its next park, or until the call began that this is in."""
        if coroutine.turn:
            ready, park = coroutine.turn
            self.slice(COROUTINES, number, "ready", ready, min(since, park) if since > ready else park)
            coroutine.turn = None

    def call_began(self, event, coroutine):
        """It must enclose its own parks, but not what was before it."""
        began = event.time - event.took
        if event.parked is not None:
            began = min([began, *(park for park in coroutine.parks if park >= began - PRECISION)])
        elif coroutine.ready_at:
            began = max(began, coroutine.ready_at)
        return max(began, coroutine.last_call, self.begin)

    def occupies(self, event, coroutine):
        if coroutine.processor != event.processor:
            self.stops(event.coroutine, coroutine, event.time)
        other = self.running.get(event.processor)
        if other is not None and other != event.coroutine:
            self.stops(other, self.coroutines[other], event.time)
        if not coroutine.runs_since and event.processor is not None:
            coroutine.runs_since, coroutine.processor = event.time, event.processor
            self.running[event.processor] = event.coroutine

    def stops(self, number, coroutine, time):
        processor = coroutine.processor
        if coroutine.runs_since and processor is not None:
            if processor not in self.free_since:
                self.free_since[processor] = 0
                self.name("thread_name", PROCESSORS, processor, f"processor {processor}")
            begin = max(coroutine.runs_since, self.free_since[processor])
            if time > begin:
                self.slice(PROCESSORS, processor, f"coroutine {number}", begin, time)
                self.free_since[processor] = time
            self.running.pop(processor, None)
        coroutine.runs_since, coroutine.processor = 0, None

    def end(self):
        """What is open lasts until the last line."""
        for number, coroutine in self.coroutines.items():
            if coroutine.parked_at:
                self.slice(COROUTINES, number, f"parked: {coroutine.reason}", coroutine.parked_at, self.last)
            if coroutine.ready_at:
                self.slice(COROUTINES, number, "ready", coroutine.ready_at, self.last)
            self.turn_came(number, coroutine, self.last)
            self.stops(number, coroutine, self.last)
        self.file.write("\n]}\n")
