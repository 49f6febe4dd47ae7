# SPDX-License-Identifier: MIT
"""Running programs for a measurement: where, with or without weft, never for ever, and nothing left behind."""

import ctypes
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None)

_started = set()  # ids of what start() started and stop() has not ended


class Failure(Exception):
    """A measurement that gave no figure; the text says why in one line."""


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


def start(command, where=None, library=None, **options):
    """Starts a program on the CPUs `where`; its process id is the program's own, and it dies with us."""

    def prepare():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if where:
            os.sched_setaffinity(0, where)

    if not shutil.which(command[0]):
        raise Failure(f"there is no program '{command[0]}'")
    options.setdefault("env", environment(library))
    try:
        process = subprocess.Popen(
            command, preexec_fn=prepare, start_new_session=True, stdin=subprocess.DEVNULL, **options
        )
    except OSError as error:
        raise Failure(f"cannot run '{command[0]}': {error.strerror}") from error
    _started.add(process.pid)
    return process


def stop(process, limit=10):
    """Ends a process that we started, and waits for it; False when SIGTERM did not end it in `limit` seconds."""
    ended = True
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            ended = False
            process.kill()
            process.wait()
    _started.discard(process.pid)
    return ended


def adopt_orphans():
    """From now on what a server leaves behind becomes our child, where end_orphans() finds it."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans():
    """Kills children of ours that start() did not start, and their children as they come to us."""
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="utf-8") as file:
            orphans = set(map(int, file.read().split())) - _started
        if not orphans:
            return
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def end_all():
    """Kills every child of ours; for the end, since a signal may have come between a fork and its entry in our books."""
    _started.clear()
    end_orphans()


def ending(status):
    """How a process ended, in words."""
    return f"killed by signal {-status}" if status < 0 else f"exit code {status}"


def last_line(text):
    return (text.strip().splitlines()[-1:] or ["no message"])[0].strip()


def output_of(command, where=None, library=None, limit=60, **options):
    """Runs a program to its end, at most `limit` seconds, and returns its stdout."""
    process = start(command, where, library, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"no end after {limit} s") from error
    finally:
        stop(process)
    if process.returncode != 0:
        raise Failure(f"{ending(process.returncode)}: {last_line(errors or output)}")
    return output


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def accepts(port):
    """Whether somebody accepts connections on the loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


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
