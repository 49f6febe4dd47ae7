# SPDX-License-Identifier: MIT
"""What the servers of the gallery share. Each is a file of its own with one class, a child of Server."""

import contextlib
import hashlib
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tools/compare"))

import load as loads
import machine
import measure

SEED = 20240517
PYTHON = "/usr/bin/python3"


class Server:
    """One life of a server in a folder of its own. `prefix` is what it is run by: nothing, or weft run --."""

    packages = []
    threads = ""  # what it uses threads for
    connections = (64, 1000)
    programs = []  # what must be there to run it
    seconds_to_start = 20
    remark = ""  # why it gains nothing or loses
    ready = None  # a method(pid): whether one may connect, where accepting does not say that

    def __init__(self, folder, build, prefix):
        self.folder, self.build, self.prefix = folder, build, prefix
        self.port = machine.free_port()
        self.stack = contextlib.ExitStack()
        self.server = None

    # What a server's file says.

    def prepare(self):
        """Writes what it needs; starts what stands behind it."""

    def command(self):
        raise NotImplementedError

    def fill(self):
        """Puts in what the load asks for, once it accepts."""

    def check(self):
        """Raises machine.Failure when an answer is wrong."""
        raise NotImplementedError

    def load(self, seconds):
        raise NotImplementedError

    # What they do it with.

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, contents):
        with open(self.path(name), "wb") as file:
            file.write(contents.encode() if isinstance(contents, str) else contents)
        return self.path(name)

    def demo(self, name):
        return os.path.join(self.build, "demo", name)

    def behind(self, *command):
        """Starts a server of ours on a free port, natively, as long as this one lives; the port."""
        port = machine.free_port()
        command = loads.fill(command, {"port": port})
        self.stack.enter_context(measure.running(command, port))
        return port

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

    def fetch(self, sums, base, *options, transfers=400, at_once=32):
        """Fetches files by curl, many at once, and compares the sums."""
        generator = random.Random(SEED)
        names = [generator.choice(sorted(sums)) for _ in range(transfers)]
        lines = ["parallel", "parallel-immediate", f"parallel-max = {at_once}", "fail", "no-progress-meter",
                 "connect-timeout = 20", "max-time = 40", 'noproxy = ""', *options]
        output = self.path("fetched")
        os.makedirs(output, exist_ok=True)
        for number, name in enumerate(names):
            lines += [f'url = "{base}{name}"', f'output = "{output}/{number}"']
        self.ask("curl", "-q", "-K", self.write("curl.conf", "\n".join(lines)))
        for number, name in enumerate(names):
            with open(f"{output}/{number}", "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != sums[name]:
                    raise machine.Failure(f"transfer {number} of {name} has a wrong sum")
            os.unlink(f"{output}/{number}")

    def expect(self, what, got, wanted):
        if got != wanted:
            raise machine.Failure(f"{what}: {str(got)[:80]!r} instead of {str(wanted)[:80]!r}")

    # One life.

    @contextlib.contextmanager
    def living(self, where=None):
        self.port = machine.free_port()
        with self.stack:
            self.prepare()
            environment = machine.environment(None) | {"HOME": self.folder, "TMPDIR": self.folder, "LANG": "C.UTF-8"}
            with measure.running(self.prefix + self.command(), self.port, where, None, self.seconds_to_start,
                                 self.ready, cwd=self.folder, env=environment) as self.server:
                self.fill()
                yield self.server


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
