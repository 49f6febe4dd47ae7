# SPDX-License-Identifier: MIT
"""Running one program for a benchmark: where, with or without weft, never for ever."""

import os
import platform
import resource
import subprocess


class Failure(Exception):
    """A benchmark that gave no figure; the text says why in one line."""


def cpus():
    """The CPUs that we may run on, at most two: the first is the servers', the second the load's."""
    return sorted(os.sched_getaffinity(0))[:2]


def raise_file_limit():
    """Raises the limit of open files to the hard limit, for us and what we start; returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def environment(library):
    """Our environment with LD_PRELOAD naming the library, or without LD_PRELOAD when it is None."""
    variables = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if library:
        variables["LD_PRELOAD"] = library
    return variables


def start(command, where, library=None, **options):
    """Starts a program on the CPUs `where`; its process id is the program's own."""
    return subprocess.Popen(
        command,
        env=environment(library),
        preexec_fn=lambda: os.sched_setaffinity(0, where),
        stdin=subprocess.DEVNULL,
        **options,
    )


def stop(process):
    """Ends a process that we started, and waits for it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ending(status):
    """How a process ended, in words."""
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"


def output_of(command, where, library=None, limit=60):
    """Runs a program to its end, at most `limit` seconds, and returns its stdout."""
    try:
        process = start(command, where, library, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise Failure(str(error)) from error
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"no end after {limit} s") from error
    finally:
        stop(process)
    if process.returncode != 0:
        last = errors.strip().splitlines()[-1:] or ["no message"]
        raise Failure(f"{ending(process.returncode)}: {last[0]}")
    return output


def describe():
    """What the figures were taken on."""
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/sys/net/core/somaxconn", encoding="utf-8") as file:
        somaxconn = int(file.read())
    return {
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "somaxconn": somaxconn,
    }
