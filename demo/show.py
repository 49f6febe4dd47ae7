#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The show: an unmodified thread-per-connection server and small programs, natively and under weft, side by side.

The HTTP server is put under the load of wrk natively and under weft in turn, round by round, so that whatever else
the machine does meets both. The table has the median of the rounds. demo/run builds everything and starts this.
"""
import argparse
import contextlib
import ctypes
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

MODES = "native", "weft"
SAMPLE_SECONDS = 0.05
START_SECONDS = 10
SMALL_SECONDS = 60
LINES_SHOWN = 6
SPARE_DESCRIPTORS = 200
PR_SET_PDEATHSIG = 1
TICKS = os.sysconf("SC_CLK_TCK")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}  # to milliseconds


class ShowError(Exception):
    pass


@dataclass
class Measurement:
    requests_per_second: float
    p50: float  # milliseconds
    p99: float
    threads: int  # kernel threads of the server at peak
    resident: float  # its peak, MiB
    cpu: float  # its CPU time during the load, seconds
    requests: int
    errors: int

    @property
    def cpu_per_request(self):
        return self.cpu * 1e6 / self.requests if self.requests else float("nan")


# What the table says: title, value, format, whether more is better (None: neither).
ROWS = [
    ("requests/s", lambda m: m.requests_per_second, "{:,.0f}", True),
    ("latency p50, ms", lambda m: m.p50, "{:,.2f}", False),
    ("latency p99, ms", lambda m: m.p99, "{:,.2f}", False),
    ("kernel threads at peak", lambda m: m.threads, "{:,.0f}", False),
    ("peak memory (RSS), MiB", lambda m: m.resident, "{:,.1f}", False),
    ("CPU time of the server, s", lambda m: m.cpu, "{:,.2f}", None),
    ("CPU time per request, us", lambda m: m.cpu_per_request, "{:,.1f}", False),
    ("errors", lambda m: m.errors, "{:,.0f}", None),
]


def end_with_parent():
    """In the child: no server outlives the show, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def status_field(pid, name):
    """A number of /proc/PID/status, 0 when the process has gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.MULTILINE)[1])
    except (OSError, TypeError):
        return 0


def cpu_seconds(pid):
    """User and system time of all threads, those that ended included."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Show:
    def __init__(self, options):
        self.options = options
        self.weft = os.path.join(options.build, "tools/weft")

    def program(self, name):
        return os.path.join(self.options.build, "demo", name)

    def command(self, mode, *words):
        return [self.weft, "run", "--", *words] if mode == "weft" else list(words)

    @contextlib.contextmanager
    def server(self, mode):
        """Starts the HTTP server; gives its process and port, and ends it."""
        process = subprocess.Popen(self.command(mode, self.program("http_server"), "--port", "0"),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=end_with_parent)
        try:
            # The server says one line and then nothing; a watchdog ends the wait should it not even do that.
            watchdog = threading.Timer(START_SECONDS, process.kill)
            watchdog.start()
            line = process.stdout.readline()
            watchdog.cancel()
            found = re.fullmatch(r"listening on (\d+)\s*", line)
            if not found:
                raise ShowError(f"the {mode} server did not start within {START_SECONDS} s; it said {line!r}")
            yield process, int(found[1])
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()

    def load(self, port):
        """Runs wrk; what it printed."""
        options = self.options
        try:
            done = subprocess.run(["wrk", "-t1", f"-c{options.connections}", f"-d{options.duration}s", "--latency",
                                   f"http://127.0.0.1:{port}/"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=options.duration + 30,
                                  preexec_fn=end_with_parent)
        except subprocess.TimeoutExpired:
            raise ShowError(f"wrk did not end in time") from None
        if done.returncode != 0:
            raise ShowError(f"wrk ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def measure(self, mode):
        with self.server(mode) as (process, port):
            peak = [0]
            over = threading.Event()

            def sample():
                while not over.wait(SAMPLE_SECONDS):
                    peak[0] = max(peak[0], status_field(process.pid, "Threads"))

            sampler = threading.Thread(target=sample)
            before = cpu_seconds(process.pid)
            sampler.start()
            try:
                text = self.load(port)
            finally:
                over.set()
                sampler.join()
            if process.poll() is not None:
                raise ShowError(f"the {mode} server ended under load with {process.returncode}")
            return read_wrk(text, peak[0], status_field(process.pid, "VmHWM") / 1024,
                            cpu_seconds(process.pid) - before)

    def compare_server(self):
        options = self.options
        print(f"== http_server: a thread for each connection, {options.connections:,} connections, "
              f"{options.duration} s of wrk, {options.rounds} rounds in turn")
        results = {mode: [] for mode in MODES}
        for number in range(options.rounds):
            # The one that goes first changes from round to round.
            for mode in MODES if number % 2 == 0 else reversed(MODES):
                print(f"   round {number + 1} of {options.rounds}, {mode:6} ... ", end="", flush=True)
                found = self.measure(mode)
                results[mode].append(found)
                print(f"{found.requests_per_second:,.0f} requests/s, p99 {found.p99:,.1f} ms, "
                      f"{found.threads:,} kernel threads", flush=True)
        print_table(results)
        if any(found.threads > options.connections // 2 for found in results["weft"]):
            print("   weft was not active: the server had kernel threads of its own; "
                  "weft run --trace thread says why\n")
            return False
        return all(found.requests for mode in MODES for found in results[mode])

    def small(self, title, mode, *words):
        """Runs a small program and prints the first lines of what it says; whether it succeeded."""
        print(f"-- {title}" + (f", {mode}" if mode else ""), flush=True)
        begin = time.monotonic()
        try:
            done = subprocess.run(self.command(mode, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=SMALL_SECONDS,
                                  preexec_fn=end_with_parent)
        except subprocess.TimeoutExpired:
            print(f"   not done after {SMALL_SECONDS} s")
            return False
        seconds = time.monotonic() - begin
        lines = done.stdout.splitlines()
        for line in lines[:LINES_SHOWN]:
            print("   " + line)
        if len(lines) > LINES_SHOWN:
            print(f"   ... {len(lines) - LINES_SHOWN} more lines")
        print(f"   {seconds:.3f} s" + (f", exit status {done.returncode}" if done.returncode else ""), flush=True)
        return done.returncode == 0

    def small_programs(self):
        fine = True
        print("== small programs with threads")
        for title, *words in [["pipeline: 100,000 items through a chain of threads and queues", "pipeline"],
                              ["chat: 20 clients, 50 lines each, two threads a client", "chat_server", "--self-test"]]:
            for mode in MODES:
                fine &= self.small(title, mode, self.program(words[0]), *words[1:])
        print("== weft's own coroutines (create, resume, yield); linked with libweft.so")
        for name in "producer_consumer", "interleave":
            fine &= self.small(name, None, self.program(name))
        return fine


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m|h)", text).groups()
    return float(number) * UNITS[unit]


def read_wrk(text, threads, resident, cpu):
    def number(pattern, kind=float, default=None):
        found = re.search(pattern, text, re.MULTILINE)
        if not found and default is None:
            raise ShowError(f"wrk said something unexpected:\n{text}")
        return kind(found[1]) if found else default

    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    errors = sum(map(int, socket_errors.groups())) if socket_errors else 0
    errors += number(r"Non-2xx or 3xx responses: (\d+)", int, 0)
    return Measurement(number(r"^Requests/sec:\s+([\d.]+)"), number(r"^\s+50%\s+(\S+)", milliseconds),
                       number(r"^\s+99%\s+(\S+)", milliseconds), threads, resident, cpu,
                       number(r"(\d+) requests in", int), errors)


def ratio_text(native, weft, more_is_better):
    """How weft stands to native, in words that need no sign convention."""
    if more_is_better is None or not native or not weft:
        return ""
    if f"{native:.3g}" == f"{weft:.3g}":
        return "same"
    more, less = max(native, weft), min(native, weft)
    better = (weft > native) == more_is_better
    return f"{more / less:.2f} times {'better' if better else 'worse'}"


def print_table(results):
    width = max(len(title) for title, *_ in ROWS)
    print(f"\n   {'median of the rounds':{width}}  {'native':>12}  {'weft':>12}")
    for title, value, form, more_is_better in ROWS:
        # Errors are added up: a median would hide those of one round.
        fold = sum if title == "errors" else statistics.median
        native, weft = (fold([value(found) for found in results[mode]]) for mode in MODES)
        print(f"   {title:{width}}  {form.format(native):>12}  {form.format(weft):>12}  "
              f"{ratio_text(native, weft, more_is_better)}".rstrip())
    print(flush=True)


def raise_descriptor_limit(connections):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ShowError(f"{connections} connections need {needed} descriptors, the limit is {hard}; "
                        f"give --connections {max(1, hard - SPARE_DESCRIPTORS)} or less")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no positive whole number")
    return int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="the build directory")
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--connections", type=positive, default=1000)
    parser.add_argument("--duration", type=positive, default=5, help="seconds of each load")
    show = Show(parser.parse_args())
    show.options.build = os.path.abspath(show.options.build)
    for number in signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        if not shutil.which("wrk"):
            raise ShowError("wrk is not installed; tools/install-dependencies demo installs it")
        raise_descriptor_limit(show.options.connections)
        fine = show.compare_server()
        fine &= show.small_programs()
    except ShowError as error:
        sys.exit(f"\nshow: {error}")
    except KeyboardInterrupt:
        sys.exit("\nshow: interrupted")
    if not fine:
        sys.exit("show: something above failed")


main()
