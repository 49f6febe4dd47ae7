# SPDX-License-Identifier: MIT
"""Programs of a test suite, run natively and under weft: what their results are, which differ, and a table."""

import collections
import concurrent.futures
import contextlib
import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SKIP = 77  # exit status: the suite cannot be had
HUNG = "HUNG"
# pthread_mutex_lock/3-1 and its like send both to threads that have not yet set their handlers: which of the two ends
# them is chance.
ALIKE = {"SIGUSR2": "SIGUSR1"}
WEFT_RUNS_MORE = 2  # of a test whose results differ: it may be unstable by itself


@dataclass
class Test:
    name: str
    area: str
    program: Path
    group: str  # tests of one group run one after the other
    native: collections.Counter = field(default_factory=collections.Counter)
    weft: collections.Counter = field(default_factory=collections.Counter)
    active: bool = False
    output: str = ""
    seconds: dict = field(default_factory=dict)

    def differs(self):
        return not set(self.weft) <= set(self.native)


class Judge:
    def __init__(self, results, options, native_runs_more, directory=None, environment=None, known=None):
        """`results` names exit statuses. Tests run in `directory`, or each in one of its own. One whose results differ
        runs so much more often natively. `known` says why tests may differ, by their names."""
        self.results, self.options, self.directory = results, options, directory
        self.native_runs_more = native_runs_more
        self.environment, self.known = environment or {}, known or {}
        # Whoever ends this process must not leave a test behind.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        self.confinement = confinement()

    def execute(self, test, library):
        """One run. Returns its result, its output, and whether weft was active."""
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("LD_PRELOAD", "MALLOC_PERTURB_") and not key.startswith("WEFT_")}
        environment |= self.environment
        with tempfile.TemporaryDirectory(prefix="weft-conformance-", ignore_cleanup_errors=True) as scratch:
            trace, output, place = Path(scratch, "trace"), Path(scratch, "output"), Path(scratch, "place")
            trace.touch()
            place.mkdir()
            if library:
                environment |= {"LD_PRELOAD": str(library), "WEFT_TRACE": f"thread:{trace}"}
                if self.options.processors:
                    environment["WEFT_PROCESSORS"] = str(self.options.processors)
            started = time.monotonic()
            with open(output, "wb") as file:
                process = subprocess.Popen([*self.confinement, str(test.program)], cwd=self.directory or place,
                                           env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
                                           stdout=file, stderr=subprocess.STDOUT)
            try:
                ended = wait_for_end(process.pid, self.options.timeout)
            finally:
                end_session(process)
            test.seconds["weft" if library else "native"] = time.monotonic() - started
            if not ended:
                result = HUNG
            elif process.returncode < 0:
                name = signal.Signals(-process.returncode).name
                result = ALIKE.get(name, name)
            else:
                result = self.results.get(process.returncode, f"EXIT {process.returncode}")
            return (result, output.read_text(errors="backslashreplace"),
                    "weft: active" in trace.read_text(errors="replace"))

    def judge(self, test):
        """Runs a test both ways. A result under weft that differs is looked for in more native runs, then weft's."""
        def run(library, counter):
            result, output, active = self.execute(test, library)
            counter[result] += 1
            test.active |= active
            return output

        run(None, test.native)
        test.output = run(self.options.library, test.weft)
        for _ in range(self.native_runs_more):
            if test.differs() and HUNG not in test.native:
                run(None, test.native)
        for _ in range(WEFT_RUNS_MORE):
            if test.differs() and HUNG not in test.weft:
                run(self.options.library, test.weft)
        return test

    def judge_all(self, tests):
        """Yields the tests as they are judged."""
        groups = collections.defaultdict(list)
        for test in tests:
            groups[test.group].append(test)
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for group in pool.map(lambda group: [self.judge(test) for test in group], groups.values()):
                yield from group

    def report(self, tests, missing, areas):
        """Judges them and prints what came of it. Returns the exit status."""
        if not tests:
            sys.exit("conformance: no test chosen")
        print(f"{len(tests)} tests, {missing} that do not compile here")
        for test in self.judge_all(tests):
            if self.options.times:
                print(f"{test.name} {test.seconds['native']:.2f} {test.seconds['weft']:.2f}"
                      f" {test.area} {names_of(test.native)}")
            if test.differs():
                print_difference(test, self.options.verbose, self.known.get(test.name))
        for test in tests:
            if len(test.native) > 1:
                print(f"not stable natively: {test.name}: {names_of(test.native)}")
        for test in tests:
            if HUNG in test.native:
                print(f"time was up natively: {test.name}")
        self.print_table(tests, areas)
        failed = sum(test.differs() and test.name not in self.known for test in tests)
        print(f"\n{len(tests) - failed} passed, {failed} failed")
        return 1 if failed else 0

    def print_table(self, tests, areas):
        columns = [*self.results.values(), HUNG, "other"]
        print(f"\n{'':24}{'':8}" + "".join(f"{name:>13}" for name in columns)
              + f"{'differences':>13}{'on coroutines':>15}")
        for area in [*areas, "all"]:
            chosen = [test for test in tests if area in (test.area, "all")]
            if not chosen:
                continue
            for side in ("native", "weft"):
                results = [next(iter(getattr(test, side).most_common()))[0] for test in chosen]
                counts = collections.Counter(result if result in columns else "other" for result in results)
                line = f"{area if side == 'native' else '':24}{side:8}"
                line += "".join(f"{counts[name]:13}" for name in columns)
                if side == "weft":
                    line += f"{sum(test.differs() for test in chosen):13}{sum(test.active for test in chosen):15}"
                print(line)


def wait_for_end(pid, timeout):
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], timeout)[0])
    finally:
        os.close(descriptor)


def end_session(process):
    """Ends what the process has started, too, whatever group that is in. The leader is reaped last, so its number
    cannot be anybody else's."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(ValueError, ProcessLookupError):
            if os.getsid(int(entry.name)) == process.pid:
                os.kill(int(entry.name), signal.SIGKILL)
    process.wait()


def names_of(counter):
    return "/".join(f"{name} ({count}x)" if len(counter) > 1 else name for name, count in counter.most_common())


def print_difference(test, verbose, why):
    print(f"{test.name}: native {names_of(test.native)}, weft {names_of(test.weft)}"
          + ("" if test.active else " (weft not active)") + (f": known: {why}" if why else ""))
    if verbose:
        print(*(f"    {line}" for line in test.output.splitlines()[-12:]), sep="\n")
    sys.stdout.flush()


def confinement():
    """The front of every command: without the capabilities that reach beyond a suite."""
    dropped = ",".join("-" + name for name in ("sys_time", "sys_boot", "sys_module", "sys_admin"))
    if os.geteuid() != 0:
        return []
    command = ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}", "--"]
    if subprocess.run([*command, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        sys.exit("conformance: as root setpriv is needed, so that no test can set the machine's clock")
    return command


@contextlib.contextmanager
def alone(directory):
    """The tests share names in the file system and in the kernel: one run at a time."""
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


def add_options(parser):
    build = Path(os.environ.get("WEFT_BUILD", Path(__file__).resolve().parent.parent.parent / "build"))
    parser.add_argument("--test", action="append", metavar="PATTERN", help="only tests whose name matches the pattern")
    parser.add_argument("--build", type=Path, default=build, metavar="DIR", help="build directory (%(default)s)")
    parser.add_argument("--library", type=Path, metavar="FILE", help="libweft.so (DIR/preload/libweft.so)")
    parser.add_argument("--source", type=Path, metavar="DIR", help="an unpacked source tree, instead of fetching it")
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS", help="limit of each run (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2 * os.cpu_count(), metavar="N",
                        help="tests at a time, most of them sleep (%(default)s)")
    parser.add_argument("--processors", type=int, metavar="N", help="WEFT_PROCESSORS for the weft runs")
    parser.add_argument("--verbose", action="store_true", help="with the end of the output of each difference")
    parser.add_argument("--times", action="store_true", help="with the duration of each test")


def parse(parser):
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.library = (options.library or options.build / "preload/libweft.so").resolve()
    options.source = options.source and options.source.resolve()
    if not options.library.is_file():
        parser.error(f"no such library: {options.library}")
    if options.jobs < 1:
        parser.error("--jobs: at least 1")
    for pattern in options.test or []:
        try:
            re.compile(pattern)
        except re.error as error:
            parser.error(f"--test {pattern}: {error}")
    return options


def is_chosen(name, options):
    return not options.test or any(re.search(pattern, name) for pattern in options.test)
