# SPDX-License-Identifier: MIT
"""One measurement: a server is started, loaded and ended; its figures."""

import contextlib
import resource
import subprocess
import tempfile
import time

import machine
import process

SAMPLE_SECONDS = 0.1
LOAD_SPARE_SECONDS = 60


def child_switches():
    """Context switches of all children that we have waited for, with all threads that they ever had."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_nvcsw + usage.ru_nivcsw


def child_cpu():
    """Seconds of CPU of all children that we have waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Server:
    """A server process that we started, its output in a file of its own. `ready(pid)`, when given, must be true before
    anybody connects."""

    def __init__(self, command, port, where=None, library=None, wait_seconds=10, ready=None, **options):
        self.port, self.wait_seconds, self.ready = port, wait_seconds, ready
        if machine.accepts(port):
            raise machine.Failure(f"port {port} is in use already, by another program")
        self.output = tempfile.TemporaryFile()
        try:
            self.process = machine.start(command, where, library, stdout=self.output, stderr=subprocess.STDOUT,
                                         **options)
        except BaseException:
            self.output.close()
            raise
        self.pid = self.process.pid
        self.ended_at_once = True  # by SIGTERM
        self.switches = 0  # context switches of its whole life, once it has ended

    def said(self):
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines()
        return f" (it said: {lines[-1].strip()})" if lines else ""

    def check(self, when):
        if self.process.poll() is not None:
            raise machine.Failure(f"the server ended {when}, {machine.ending(self.process.returncode)}{self.said()}")

    def check_after_failure(self):
        """The load has failed: was it the server? One that listens no more is about to end, and may take its time."""
        if not machine.accepts(self.port):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.wait_seconds)
        self.check("under load")

    def wait_until_it_accepts(self):
        deadline = time.monotonic() + self.wait_seconds
        while (self.ready and not self.ready(self.pid)) or not machine.accepts(self.port):
            self.check(f"before it accepted on port {self.port}")
            if time.monotonic() > deadline:
                raise machine.Failure(f"the server does not accept on port {self.port} within "
                                      f"{self.wait_seconds:g} s{self.said()}")
            time.sleep(0.02)
        self.check(f"before it accepted on port {self.port}, where another program listens")

    def end(self):
        """SIGTERM, then SIGKILL; the status it ended with."""
        before = child_switches()
        self.ended_at_once = machine.stop(self.process)
        self.switches = child_switches() - before
        self.output.close()
        machine.end_orphans()
        return self.process.returncode


@contextlib.contextmanager
def running(command, port, where=None, library=None, wait_seconds=10, ready=None, **options):
    """A Server that accepts."""
    server = Server(command, port, where, library, wait_seconds, ready, **options)
    try:
        server.wait_until_it_accepts()
        yield server
    finally:
        server.end()


def run_load(command, limit, where, watch, **options):
    """Runs the load to its end, calling watch(its process id) meanwhile; what it printed and how long it ran."""
    begin = time.monotonic()
    with tempfile.TemporaryFile() as output:
        load = machine.start(command, where, stdout=output, stderr=subprocess.STDOUT, **options)
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    load.wait(SAMPLE_SECONDS)
                    break
                if time.monotonic() - begin > limit:
                    raise machine.Failure(f"the load did not end in {limit:g} s")
                watch(load.pid)
        finally:
            machine.stop(load)
        elapsed = time.monotonic() - begin
        output.seek(0)
        text = output.read().decode(errors="replace")
    if load.returncode != 0:
        raise machine.Failure(f"the load failed, {machine.ending(load.returncode)}: {machine.last_line(text)}")
    return text, elapsed


def load_server(server, load, connections, where=None):
    """The figures of one load on a Server: those of the load, and cpu (us of the server a request), busy (per cent of a
    core), threads (of the kernel, at peak), memory (MiB at peak), active (weft is)."""
    peak = 0

    def watch(_):
        nonlocal peak
        server.check("under load")
        peak = max(peak, process.threads(server.pid))

    watch(None)
    overflows = process.listen_overflows()
    cpu = process.cpu_seconds(server.pid)
    try:
        text, elapsed = run_load(load.command(server.port, connections), load.seconds + LOAD_SPARE_SECONDS, where, watch)
        figures = load.figures(text, elapsed)
    except machine.Failure:
        server.check_after_failure()
        raise
    server.check("under load")
    cpu = process.cpu_seconds(server.pid) - cpu
    figures["cpu"] = cpu * 1e6 / figures["requests"]
    figures["busy"] = cpu / elapsed * 100
    figures["threads"] = peak
    figures["memory"] = process.peak_memory(server.pid)
    figures["overflows"] = process.listen_overflows() - overflows
    figures["active"] = process.weft_active(server.pid)
    return figures


def load_alone(load, command, where=None, **options):
    """The figures of a load that is itself what is measured: its own, and those of load_server for the load."""
    peaks = {"threads": 0, "memory": 0, "active": False}

    def watch(pid):
        peaks["threads"] = max(peaks["threads"], process.threads(pid))
        peaks["memory"] = max(peaks["memory"], process.peak_memory(pid))
        peaks["active"] = peaks["active"] or process.weft_active(pid)

    cpu, switches = child_cpu(), child_switches()
    text, elapsed = run_load(command, load.seconds + LOAD_SPARE_SECONDS, where, watch, **options)
    cpu, switches = child_cpu() - cpu, child_switches() - switches
    figures = load.figures(text, elapsed)
    return figures | peaks | {"cpu": cpu * 1e6 / figures["requests"], "busy": cpu / elapsed * 100,
                              "switches": switches / figures["requests"]}


def measure(command, port, load, connections, where=(None, None), library=None, wait_seconds=10, **options):
    """Starts a server, loads it and ends it; load_server's figures, and switches (context switches a request)."""
    with running(command, port, where[0], library, wait_seconds, **options) as server:
        before = process.switches(server.pid)
        figures = load_server(server, load, connections, where[1])
    figures["switches"] = (server.switches - before) / figures["requests"]
    return figures
