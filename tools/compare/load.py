# SPDX-License-Identifier: MIT
"""The loads: each knows its command and how to read what it printed. Latencies are in ms, rates a second."""

import json
import os
import re
import shlex

from machine import Failure, last_line

HERE = os.path.dirname(os.path.abspath(__file__))
PERCENTILES = ("p50", "p90", "p99", "p999")
TO_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def fill(words, values):
    """The words with {name} replaced by the values; other braces stay as they are."""
    pattern = re.compile("{(" + "|".join(values) + ")}")
    return [pattern.sub(lambda found: str(values[found[1]]), word) for word in words]


class Load:
    """A command with {port}, {connections} and {seconds} in it."""

    def __init__(self, command, seconds):
        self.words, self.seconds = command, seconds

    def command(self, port, connections):
        return fill(self.words, {"port": port, "connections": connections, "seconds": self.seconds})

    def figures(self, text, elapsed):
        raise NotImplementedError


class JsonLoad(Load):
    """A load that ends with one line of JSON: requests, seconds, errors, p50, p90, p99, p999."""

    def figures(self, text, elapsed):
        try:
            figures = json.loads(last_line(text))
        except ValueError as error:
            raise Failure(f"the load printed no figures: {last_line(text)}") from error
        if not figures["requests"]:
            raise Failure(f"the load got no answer ({figures['errors']} errors)")
        figures["rate"] = figures["requests"] / figures.pop("seconds")
        return figures


class HttpLoad(JsonLoad):
    """wrk, one thread; `script` says how to ask when it is not simply for `path`."""

    def __init__(self, seconds, path="/", script=""):
        words = ["wrk", "-t1", "-c{connections}", "-d{seconds}s", "--timeout", "10s", "-s",
                 os.path.join(HERE, "wrk_figures.lua"), "http://127.0.0.1:{port}" + path]
        super().__init__([*words, "--", script] if script else words, seconds)


def exchange_program():
    """Beside us where weft was built or installed; else in the build tree that $MESON_BUILD_ROOT names."""
    build = os.environ.get("MESON_BUILD_ROOT") or os.path.join(os.path.dirname(os.path.dirname(HERE)), "build")
    for path in (os.path.join(HERE, "exchange_load"), os.path.join(build, "tools/compare/exchange_load")):
        if os.path.exists(path):
            return path
    raise Failure("there is no exchange_load: build weft first")


class ExchangeLoad(JsonLoad):
    """exchange_load: what is sent comes back, or what `options` say is sent and comes back."""

    def __init__(self, seconds, *options):
        super().__init__([exchange_program(), "--port", "{port}", "--connections", "{connections}",
                          "--seconds", "{seconds}", *options], seconds)


class CommandLoad(Load):
    """Any command; `patterns` find its figures by named groups: rate, requests, seconds (that the requests took, when
    it was less than the command), errors, p50 ... p999 (ms; with another unit p50_us, p50_s)."""

    def __init__(self, command, seconds, patterns):
        super().__init__(shlex.split(command) if isinstance(command, str) else command, seconds)
        self.patterns = patterns

    def figures(self, text, elapsed):
        figures = {"errors": 0}
        for pattern in self.patterns:
            found = re.search(pattern, text, re.M)
            if not found:
                raise Failure(f"nothing in the load's output matches {pattern!r}; it ends with: {last_line(text)}")
            for name, value in found.groupdict().items():
                name, _, unit = name.partition("_")
                try:
                    number = float(value.replace(",", ""))
                except (AttributeError, ValueError) as error:
                    raise Failure(f"the load's {name} is no number: {value!r}") from error
                figures[name] = number * TO_MS[unit or "ms"] if name in PERCENTILES else number
        elapsed = figures.pop("seconds", elapsed)
        if "rate" not in figures:
            figures["rate"] = figures["requests"] / elapsed
        figures.setdefault("requests", figures["rate"] * self.seconds)
        if not figures["requests"]:
            raise Failure(f"the load got no answer; its output ends with: {last_line(text)}")
        return figures


def check_pattern(text):
    """The names in a pattern of a CommandLoad; raises Failure when it is not one."""
    try:
        names = re.compile(text, re.M).groupindex
    except re.error as error:
        raise Failure(f"bad regular expression {text!r}: {error}") from error
    for name in names:
        base, _, unit = name.partition("_")
        if (base not in ("rate", "requests", "seconds", "errors", *PERCENTILES) or (unit and unit not in TO_MS)
                or (unit and base not in PERCENTILES)):
            raise Failure(f"no figure is called '{name}' (in {text!r})")
    return set(names)
