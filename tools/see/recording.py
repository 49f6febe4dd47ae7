# SPDX-License-Identifier: MIT
"""Reads a recording of WEFT_TRACE, line by line (core/trace.h says what a line is), and adds up what it says."""
import re
import typing

import command

LINE = re.compile(rb"""(?P<seconds>\d+)\.(?P<fraction>\d{9})\ (?:c=(?P<coroutine>\d+)\ )?(?:p=(?P<processor>\d+)\ )?(?:
    park\ (?P<park>\w+)
  | ready\ (?P<ready>\w+)\ result=-?\d+
  | (?P<call>\w+)\((?P<arguments>[^()]*)\)\ =\ (?P<result>-?\d+)(?:\ parked\ (?P<parked>\d+)us)?\ took\ (?P<took>\d+)us
  | create\ (?P<create>\d+)
  | (?P<exit>exit)
  | (?P<handed>monitor\ hands\ the\ processor\ on)
  | (?P<note>(?!(?:park|ready|create|exit|monitor)\b|[cp]=|\w+\()[a-z].*)
)\n""", re.VERBOSE)
SHOWN = 60  # characters of a bad line


class Event(typing.NamedTuple):
    """One line. Times are in ns of CLOCK_MONOTONIC. `what` is a reason, a call or a message."""
    time: int
    coroutine: int  # 0: none, as for messages
    processor: int | None  # where the coroutine ran; of a coroutine that is made ready: where it was last
    kind: str  # park, ready, call, create, exit; handed: the monitor took its processor; note: anything else
    what: str
    text: str = ""  # of a call: it, as written
    parked: int | None = None  # of a call, ns
    took: int = 0


def events(path):
    """Yields the events of the file. Ends the process with one line at the first line that is none."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            match = LINE.fullmatch(line)
            kind = match and match.lastgroup
            if kind in ("took", "parked"):
                kind = "call"
            if not match or (kind != "note" and not match["coroutine"]):
                text = line[:SHOWN].decode(errors="replace").rstrip("\n")
                command.fail(f"{path}, line {number}: this is no line of a trace: '{text}'")
            time = int(match["seconds"]) * 1000000000 + int(match["fraction"])
            coroutine = int(match["coroutine"] or 0)
            processor = int(match["processor"]) if match["processor"] else None
            what = match[kind].decode(errors="replace")
            if kind != "call":
                yield Event(time, coroutine, processor, kind, what)
                continue
            text = f"{what}({match['arguments'].decode()}) = {match['result'].decode()}"
            parked = None if match["parked"] is None else int(match["parked"]) * 1000
            yield Event(time, coroutine, processor, kind, what, text, parked, int(match["took"]) * 1000)


class Durations:
    """Count, total and maximum of durations, and their quantiles to three digits in bounded memory."""

    def __init__(self):
        self.count = self.total = self.longest = 0
        self.counts = {}

    def add(self, duration):
        self.count += 1
        self.total += duration
        self.longest = max(self.longest, duration)
        step = 10 ** max(0, len(str(duration)) - 3)
        rounded = duration // step * step
        self.counts[rounded] = self.counts.get(rounded, 0) + 1

    def quantile(self, part):
        """The smallest duration that so large a part of all does not exceed (the nearest rank)."""
        rank, seen = -(-self.count * part // 100), 0
        for duration in sorted(self.counts):
            seen += self.counts[duration]
            if seen >= rank:
                return duration
        return 0


class Waits:
    """Pairs each park with what ended it: a coroutine's `ready`. A recording without the word sched has neither; then
    the calls say how long they were parked, and the name of the call stands for the reason."""

    def __init__(self):
        self.open = {}  # coroutine: its park
        self.from_calls = True

    def follow(self, event):
        """Returns (reason, duration) of the wait that the event ends, or None."""
        if event.kind == "park":
            self.from_calls = False
            self.open[event.coroutine] = event
        elif event.kind == "ready":
            park = self.open.pop(event.coroutine, None)
            if park:
                return park.what, max(0, event.time - park.time)
        elif event.kind == "call" and self.from_calls and event.parked is not None:
            return event.what, event.parked
        elif event.kind == "note" and event.what.startswith("weft: active"):
            self.open.clear()  # another run, in the same file
        return None
