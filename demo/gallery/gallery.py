# SPDX-License-Identifier: MIT
"""What the programs of the gallery share. Each is a file of its own with one class, a child of Server or of Client."""

import contextlib
import hashlib
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tools/compare"))

import load as loads
import machine
import measure
import process

SEED = 20240517
PYTHON = "/usr/bin/python3"


class Program:
    """One life of a program in a folder of its own. `prefix` is what it is run by: nothing, or weft run --."""

    packages = []
    threads = ""  # what it uses threads for
    connections = (64, 1000)  # of a client: threads, transfers or whatever it does at once
    programs = []  # what must be there to run it
    remark = ""  # why it gains nothing or loses

    def __init__(self, folder, build, prefix):
        self.folder, self.build, self.prefix = folder, build, prefix
        self.stack = contextlib.ExitStack()
        self.environment = machine.environment(None) | {"HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"}

    # What its file says.

    def prepare(self):
        """Writes what it needs; starts what stands behind it."""

    def check(self):
        """Raises machine.Failure when an answer is wrong."""
        raise NotImplementedError

    # What the file does it with.

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, contents):
        with open(self.path(name), "wb") as file:
            file.write(contents.encode() if isinstance(contents, str) else contents)
        return self.path(name)

    def demo(self, name):
        return os.path.join(self.build, "demo", name)

    def behind(self, *command, **options):
        """Starts another server on a free port, natively, as long as this one lives; the port."""
        port = machine.free_port()
        command = loads.fill(command, {"port": port})
        self.stack.enter_context(measure.running(command, port, **options))
        return port

    def behind_files(self, folder):
        """Starts a web server with the folder's files; the port."""
        return self.behind(PYTHON, os.path.join(ROOT, "tests/program/origin.py"), self.path(folder), "{port}")

    def ask(self, *command, limit=60, **options):
        """Runs a client to its end; its output."""
        try:
            return machine.output_of(list(command), limit=limit, **options)
        except machine.Failure as failure:
            raise machine.Failure(f"{command[0]}: {failure}") from failure

    def many(self, count, function, at_once=32):
        """Calls function(number) `count` times, some at once; the first failure is raised."""
        with ThreadPoolExecutor(at_once) as pool:
            for _ in pool.map(function, range(count)):
                pass

    def files(self, folder, count=40, largest=1 << 20):
        """Random files, the same ones every time; their sums by name."""
        generator, sums = random.Random(SEED), {}
        os.mkdir(self.path(folder))
        for number in range(count):
            size = (0, 1, 4095, 4096, 65536, largest)[number] if number < 6 else int(largest ** generator.random())
            contents = generator.randbytes(size)
            self.write(f"{folder}/file{number}", contents)
            sums[f"file{number}"] = hashlib.sha256(contents).hexdigest()
        return sums

    def fetch(self, sums, base, *options, transfers=400, at_once=32, by=None):
        """Fetches files by curl (run by `by`, else natively), many at once, and compares the sums."""
        generator = random.Random(SEED)
        names = [generator.choice(sorted(sums)) for _ in range(transfers)]
        lines = ["parallel", "parallel-immediate", f"parallel-max = {at_once}", "fail", "no-progress-meter",
                 "connect-timeout = 20", "max-time = 40", 'noproxy = ""', *options]
        output = self.path("fetched")
        os.makedirs(output, exist_ok=True)
        for number, name in enumerate(names):
            lines += [f'url = "{base}{name}"', f'output = "{output}/{number}"']
        (by or self.ask)("curl", "-q", "-K", self.write("curl.conf", "\n".join(lines)))
        for number, name in enumerate(names):
            with open(f"{output}/{number}", "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != sums[name]:
                    raise machine.Failure(f"transfer {number} of {name} has a wrong sum")
            os.unlink(f"{output}/{number}")

    def number(self, pattern, text):
        """The number that the pattern's one group finds."""
        found = re.search(pattern, text)
        if not found:
            raise machine.Failure(f"nothing matches {pattern!r} in an output that ends with: {machine.last_line(text)}")
        return float(found[1])

    def expect(self, what, got, wanted):
        if got != wanted:
            raise machine.Failure(f"{what}: {str(got)[:80]!r} instead of {str(wanted)[:80]!r}")


class Server(Program):
    """Measured while a load runs."""

    seconds_to_start = 20
    seconds_to_warm_up = 0  # of the same load, before the time begins
    ready = None  # a method(pid): whether one may connect, where accepting does not say that

    def __init__(self, folder, build, prefix):
        super().__init__(folder, build, prefix)
        self.port = machine.free_port()
        self.server = None

    def command(self):
        raise NotImplementedError

    def fill(self):
        """Puts in what the load asks for, once it accepts."""

    def load(self, seconds):
        raise NotImplementedError

    @contextlib.contextmanager
    def living(self, where=None):
        self.port = machine.free_port()
        with self.stack:
            self.prepare()
            with measure.running(self.prefix + self.command(), self.port, where, None, self.seconds_to_start,
                                 self.ready, cwd=self.folder, env=self.environment) as self.server:
                self.fill()
                yield

    def checked(self):
        """A life with the check: whether weft took over, and the status that it ended with."""
        with self.living():
            self.check()
            self.server.check("by itself during the check")
            active = process.weft_active(self.server.pid)
        return active, self.server.process.returncode if self.server.ended_at_once else None

    def measured(self, seconds, connections, where):
        with self.living(where[0]):
            if self.seconds_to_warm_up:
                measure.load_server(self.server, self.load(self.seconds_to_warm_up), connections, where[1])
            before = process.switches(self.server.pid)
            figures = measure.load_server(self.server, self.load(seconds), connections, where[1])
        figures["switches"] = (self.server.switches - before) / figures["requests"]
        return figures


class Client(Program):
    """Measured by its own figures, while what it asks runs natively."""

    def load(self, seconds, connections):
        """One of loads, whose words are the command that is run with the prefix."""
        raise NotImplementedError

    def run(self, *command, limit=60):
        """Runs it to its end; its output."""
        return self.ask(*self.prefix, *command, limit=limit, cwd=self.folder, env=self.environment)

    def checked(self):
        trace = self.path("weft.trace")
        if self.prefix:
            self.environment["WEFT_TRACE"] = "thread:" + trace
        with self.stack:
            self.prepare()
            self.check()
        with contextlib.suppress(FileNotFoundError), open(trace, encoding="utf-8") as file:
            return "weft: active" in file.read(), 0
        return False, 0

    def measured(self, seconds, connections, where):
        with self.stack:
            self.prepare()
            load = self.load(seconds, connections)
            return measure.load_alone(load, self.prefix + load.words, where[0], cwd=self.folder, env=self.environment)


class Counted(loads.Load):
    """A command that does `requests` and then ends, right if its status is 0."""

    def __init__(self, command, seconds, requests):
        super().__init__(command, seconds)
        self.requests = requests

    def figures(self, text, elapsed):
        return {"requests": self.requests, "rate": self.requests / elapsed, "errors": 0}


def hexadecimal(data):
    return (data.encode() if isinstance(data, str) else data).hex()


def demo_answer(size):
    """What demo/epoll_http_server answers with --body SIZE."""
    body = "".join(chr(ord("a") + i % 26) for i in range(size))
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n{body}"


def quiet(*command):
    """Runs a command that prepares something; raises machine.Failure with its last line."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise machine.Failure(f"{command[0]}: {machine.last_line(done.stdout)}")
