# SPDX-License-Identifier: MIT
"""What the kernel says of a running server: a process and its descendants."""

import os
import re
import time

TICKS = os.sysconf("SC_CLK_TCK")


def _read(path):
    """The file's text; empty when the process has gone."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def family(pid):
    """The process and its living descendants."""
    pids = [pid]
    for parent in pids:
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        # Any thread may have forked. With many threads, ask only the first ones: 5,000 files a look cost too much.
        for task in tasks[:64]:
            pids += map(int, _read(f"/proc/{parent}/task/{task}/children").split())
    return pids


def _status(pid, name):
    """A number of /proc/PID/status, 0 when the process has gone."""
    found = re.search(rf"^{name}:\s+(\d+)", _read(f"/proc/{pid}/status"), re.M)
    return int(found[1]) if found else 0


def cpu_seconds(pid):
    """User and system time of all threads, ended ones included, to the nanosecond; and of children waited for."""
    seconds = 0.0
    for member in family(pid):
        try:
            seconds += time.clock_gettime(~member << 3 | 2)  # its CPU clock, as clock_getcpuclockid(3) makes it
        except OSError:
            continue
        fields = _read(f"/proc/{member}/stat").rpartition(")")[2].split()
        if fields:
            seconds += (int(fields[13]) + int(fields[14])) / TICKS
    return seconds


def threads(pid):
    return sum(_status(member, "Threads") for member in family(pid))


def peak_memory(pid):
    """MiB."""
    return sum(_status(member, "VmHWM") for member in family(pid)) / 1024


def switches(pid):
    """Context switches of the living threads."""
    total = 0
    for member in family(pid):
        try:
            tasks = os.listdir(f"/proc/{member}/task")
        except OSError:
            continue
        for task in tasks:
            text = _read(f"/proc/{member}/task/{task}/status")
            total += sum(map(int, re.findall(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)", text, re.M)))
    return total


def _sleepers(pid):
    """Its threads with their states and how often each has gone to sleep."""
    tasks = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        text = _read(f"/proc/{pid}/task/{task}/status")
        tasks[task] = re.findall(r"^(?:State|voluntary_ctxt_switches):\s+(\w+)", text, re.M)
    return tasks


def at_rest(pid):
    """Whether there was a moment, just now, at which all its threads slept: nothing was left to be done."""
    try:
        before = _sleepers(pid)
        return all(task[:1] == ["S"] for task in before.values()) and before == _sleepers(pid)
    except OSError:
        return False


def weft_active(pid):
    """Whether weft took over: libc's code, which nobody else writes to, has pages of the process's own."""
    for member in family(pid):
        found = re.search(r" r-xp [^\n]*/libc[.-][^\n]*\n(?:\w+:[^\n]*\n)*?Private_Dirty:\s+(\d+)",
                          _read(f"/proc/{member}/smaps"))
        if found and int(found[1]) > 0:
            return True
    return False


def listen_overflows():
    """Connections that the kernel dropped because a listener's backlog was full."""
    with open("/proc/net/netstat", encoding="utf-8") as file:
        names, values = [line.split() for line in file if line.startswith("TcpExt:")]
    return int(dict(zip(names, values))["ListenOverflows"])
