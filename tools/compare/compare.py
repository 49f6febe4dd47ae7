#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Starts a server natively and under weft in turn, under the same load, and prints the figures side by side.

In CMD, {port}, {connections} and {seconds} stand for the numbers. It is no shell's line: words are split as a shell
would, and no more (use sh -c '...' for more). The server must stay in the foreground and listen on the loopback
address.

LOAD is 'http' or 'http:/PATH' (wrk), 'echo' (what is sent must come back), or a command; then --figures finds its
figures by named groups of a regular expression: rate or requests (at least one of them), seconds (that the requests
took, when it was less than the command), errors, p50, p90, p99, p999 in ms (with another unit p50_us, p50_s). --figures
may be given several times.

Exit status: 0 when everything was measured; 2 with one line on stderr when not.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import sys

sys.dont_write_bytecode = True  # before our own modules: no __pycache__ in the source tree

import load as loads
import machine
import measure
import report

DEFAULT_CONNECTIONS = [1, 64, 1000]


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"weft: compare: {message}; see 'weft compare --help'\n")


def whole(least, most):
    def parse(text):
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {least} to {most}")
        return int(text)

    return parse


def numbers(text):
    return [whole(1, 1 << 20)(word) for word in text.split(",")]


def words(text):
    try:
        split = shlex.split(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"cannot split '{text}' into words: {error}") from error
    if not split:
        raise argparse.ArgumentTypeError("the command is empty")
    return split


def pattern(text):
    try:
        loads.check_pattern(text)
    except machine.Failure as failure:
        raise argparse.ArgumentTypeError(str(failure)) from failure
    return text


def parse_arguments():
    parser = Parser(prog="weft compare", description=__doc__, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weft", metavar="PATH", default="weft", help=argparse.SUPPRESS)
    parser.add_argument("--server", metavar="CMD", type=words, required=True)
    parser.add_argument("--port", metavar="P", type=whole(0, 65535), required=True,
                        help="where the server listens; 0: a free one each time, for a CMD with {port} in it")
    parser.add_argument("--load", metavar="LOAD", required=True, help="http, http:/PATH, echo, or a command")
    parser.add_argument("--figures", metavar="REGEX", type=pattern, action="append", default=[])
    parser.add_argument("--rounds", metavar="N", type=whole(1, 1000), default=3, help="default 3")
    parser.add_argument("--connections", metavar="N,N...", type=numbers,
                        help="default 1,64,1000, or one run of a command without {connections}")
    parser.add_argument("--seconds", metavar="N", type=whole(1, 3600), default=3, help="of one load; default 3")
    parser.add_argument("--pin", action="store_true", help="the server on one CPU, the load on another")
    parser.add_argument("--wait", metavar="N", type=whole(1, 600), default=10,
                        help="seconds until the server must accept; default 10")
    parser.add_argument("--out", metavar="DIR", help="write compare.json, index.html and the plots there")
    options = parser.parse_args()
    if options.port == 0 and not any("{port}" in word for word in options.server):
        parser.error("--port 0 needs a server command with {port} in it")
    kind = options.load.partition(":")[0]
    if kind in ("http", "echo") and options.figures:
        parser.error(f"the load '{kind}' finds its own figures; leave --figures out")
    if kind not in ("http", "echo"):
        named = set().union(*map(loads.check_pattern, options.figures)) if options.figures else set()
        if not named & {"rate", "requests"}:
            parser.error("a load command needs --figures REGEX with a group (?P<rate>...) or (?P<requests>...)")
        try:
            options.load = words(options.load)
        except argparse.ArgumentTypeError as error:
            parser.error(f"argument --load: {error}")
    if options.connections is None:
        plain = isinstance(options.load, list) and not any("{connections}" in word for word in options.load)
        options.connections = [1] if plain else DEFAULT_CONNECTIONS
    return options


def chosen_load(options):
    if isinstance(options.load, list):
        return loads.CommandLoad(options.load, options.seconds, options.figures)
    kind, _, path = options.load.partition(":")
    if kind == "echo":
        return loads.ExchangeLoad(options.seconds)
    if not shutil.which("wrk"):
        raise machine.Failure("the load 'http' needs wrk, which is not installed (Debian package wrk)")
    return loads.HttpLoad(options.seconds, path or "/")


def say(line, end="\n"):
    print(line, end=end, file=sys.stderr, flush=True)


def alternate(sides, rounds, connections, one):
    """Calls one(side, connections) for every side in turn, round after round; [{connections, sides: {side: figures}}]."""
    results = [{"connections": number, "sides": {side: [] for side in sides}} for number in connections]
    for number in range(rounds):
        for result in results:
            for side in sides:
                label = f"round {number + 1} of {rounds}, {result['connections']} connections, {side}"
                say(f"{label}: ", end="")
                try:
                    figures = one(side, result["connections"])
                except machine.Failure as failure:
                    say("failed")
                    raise machine.Failure(f"{label}: {failure}") from failure
                latency = f", p99 {report.number(figures['p99'])} ms" if "p99" in figures else ""
                say(f"{report.number(figures['rate'])}/s{latency}, "
                    f"{report.number(figures['cpu'])} us of CPU a request, {figures['threads']} kernel threads")
                result["sides"][side].append(figures)
    return results


def placement(pin):
    """The CPUs of the server and of the load."""
    available = machine.cpus()
    if not pin:
        return None, None
    if len(available) < 2:
        raise machine.Failure("--pin needs two CPUs")
    return set(available[:1]), set(available[1:])


def compare(options):
    load, where = chosen_load(options), placement(options.pin)
    prefixes = {"native": [], "weft": [options.weft, "run", "--"]}

    def one(side, connections):
        port = options.port or machine.free_port()
        values = {"port": port, "connections": connections, "seconds": options.seconds}
        command = prefixes[side] + loads.fill(options.server, values)
        return measure.measure(command, port, load, connections, where, wait_seconds=options.wait)

    return alternate(prefixes, options.rounds, options.connections, one)


def write(options, results):
    described = machine.describe()
    title = "weft compare: " + shlex.join(options.server)
    load = shlex.join(options.load) if isinstance(options.load, list) else options.load
    about = [f"{described['cpu']}, {described['cpus']} CPUs, Linux {described['kernel']}, {described['libc']}.",
             f"Load: {load}, {options.seconds} s"
             + (", server and load on a CPU each." if options.pin else ", server and load on the same CPUs."),
             f"Medians of {options.rounds} rounds in turn, in brackets (max - min) / median; in the plots whiskers "
             "from min to max. CPU time is that of the server during the load, making the connections included."]
    with open(os.path.join(options.out, "compare.json"), "w", encoding="utf-8") as file:
        json.dump({"server": options.server, "load": options.load, "seconds": options.seconds, "pin": options.pin,
                   "rounds": options.rounds, "machine": described, "results": results}, file, indent=1)
    plots = report.draw(results, options.out)
    if not plots:
        say("no plots: gnuplot is not installed (Debian package gnuplot-nox)")
    with open(os.path.join(options.out, "index.html"), "w", encoding="utf-8") as file:
        file.write(report.page(title, about, results, plots))


def prepare(out):
    """Ends on a signal as on an error, so that what we started is ended."""
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    machine.adopt_orphans()
    machine.raise_file_limit()
    if out:
        try:
            os.makedirs(out, exist_ok=True)
        except OSError as error:
            raise machine.Failure(f"cannot make the directory '{out}': {error.strerror}") from error
        if not os.access(out, os.W_OK | os.X_OK):
            raise machine.Failure(f"cannot write into the directory '{out}'")


def main():
    options = parse_arguments()
    try:
        prepare(options.out)
        results = compare(options)
        print(report.text(results), end="")
        if options.out:
            write(options, results)
            print(f"written: {os.path.join(options.out, 'index.html')}")
    except (machine.Failure, OSError) as failure:
        say(f"weft: compare: {failure}")
        return 2
    except KeyboardInterrupt:
        say("weft: compare: interrupted")
        return 130
    finally:
        machine.end_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
