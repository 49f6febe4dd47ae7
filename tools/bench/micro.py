# SPDX-License-Identifier: MIT
"""The micro-benchmarks: what each runs, and one measurement of it."""

import os

import machine

ONE_CORE = "one core"
TWO_CORES = "2 cores"

# name: program and arguments; each prints ns per operation.
OPERATIONS = {
    "switch": ["bench_switch"],
    "yield": ["bench_yield"],
    "create_join": ["bench_create_join"],
    "creators_2": ["bench_creators", "2"],
    "creators_4": ["bench_creators", "4"],
    "condvar": ["bench_condvar"],
    "mutex": ["bench_mutex", "4"],
    "mutex_2": ["bench_mutex", "2"],
    "mutex_16": ["bench_mutex", "16"],
    "mutex_256": ["bench_mutex", "256"],
    "pipeline_64": ["bench_pipeline", "64"],
    "pipeline_1000": ["bench_pipeline", "1000"],
    "pipeline_5000": ["bench_pipeline", "5000"],
    "pairs_1": ["bench_pairs", "1", "10"],
    "pairs_2": ["bench_pairs", "2", "10"],
    "wake_200": ["bench_wake", "200"],
    "wake_2000": ["bench_wake", "2000"],
    "pipe": ["bench_ping_pong", "pipe"],
    "socketpair": ["bench_ping_pong", "socketpair"],
    "tcp": ["bench_ping_pong", "tcp"],
}

# name: the program whose life is measured; no slash means one of ours.
STARTUPS = {"startup": "/bin/true", "startup_threaded": "bench_one_thread"}


# Two threads that must run at the same time.
NOT_ON_ONE_CORE = {"pairs_1", "pairs_2", "wake_200", "wake_2000"}


def placements(name):
    """name: the CPUs on which the benchmark `name` is run."""
    available = machine.cpus()
    where = {ONE_CORE: set(available[:1]), TWO_CORES: set(available)}
    if name in NOT_ON_ONE_CORE:
        del where[ONE_CORE]
    return where


class Micro:
    """Measures with the programs in `directory`; `library` is None when there is no weft."""

    def __init__(self, directory, library, milliseconds, lives):
        self.directory = directory
        self.library = library
        self.milliseconds = milliseconds
        self.lives = lives

    def path(self, program):
        return program if "/" in program else os.path.join(self.directory, program)

    def operation(self, name, side, where):
        """ns per operation of one run; `side` is native or weft."""
        program, *arguments = OPERATIONS[name]
        # The primitive is linked with weft, not preloaded.
        preload = self.library if side == "weft" and name != "switch" else None
        command = [self.path(program), *arguments, str(self.milliseconds)]
        return {side: float(machine.output_of(command, where, preload))}

    def startup(self, name, where):
        """ns of a program's life by side; the driver alternates by itself."""
        command = [self.path("bench_startup"), self.library or "-", str(self.lives)]
        figures = machine.output_of([*command, self.path(STARTUPS[name])], where).split()
        return dict(zip(("native", "weft"), map(float, figures)))

    def one_round(self, name, where):
        """One figure a side, taken in turn."""
        if name in STARTUPS:
            return self.startup(name, where)
        figures = {}
        if name != "switch":
            figures |= self.operation(name, "native", where)
        if self.library:
            figures |= self.operation(name, "weft", where)
        return figures
