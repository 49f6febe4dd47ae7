# SPDX-License-Identifier: MIT
"""HTTP servers under the load of wrk: one measurement of one server at one number of connections."""

import os
import re
import select
import subprocess
import tempfile
import time

import machine

PINNED = "server and load on a core each"
FREE = "both on 2 cores"
CONNECTIONS = (1, 64, 1000, 5000)
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def placements():
    """name: the CPUs of the server and of the load."""
    available = machine.cpus()
    return {PINNED: (set(available[:1]), set(available[1:])), FREE: (set(available), set(available))}


def wait_for_port(server):
    """The port of a server that prints `listening on PORT`."""
    if not select.select([server.stdout], [], [], 10)[0]:
        raise machine.Failure("the server printed no port in 10 s")
    found = re.search(rb"listening on (\d+)", server.stdout.readline())
    if not found:
        machine.stop(server)
        raise machine.Failure(f"the server printed no port: {machine.ending(server.returncode)}")
    return int(found[1])


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_of(pid, name):
    """A number from /proc/PID/status; 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def listen_overflows():
    """Connections that the kernel dropped because a listener's backlog was full."""
    with open("/proc/net/netstat", encoding="utf-8") as file:
        names, values = [line.split() for line in file if line.startswith("TcpExt:")]
    return int(dict(zip(names, values))["ListenOverflows"])


def parse_wrk(text):
    """The figures in wrk's report; latencies in ms."""
    figures = {"timeouts": 0}
    for percent in ("50", "99"):
        found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.M)
        if not found:
            raise machine.Failure("wrk printed no latencies")
        figures["p" + percent] = float(found[1]) * UNITS[found[2]]
    found = re.search(r"(\d+) requests in ", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if not found or not rate or int(found[1]) == 0:
        raise machine.Failure("wrk got no answer")
    figures["requests"] = int(found[1])
    figures["rate"] = float(rate[1])
    found = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    if found:
        figures["timeouts"] = int(found[4])
        if any(int(number) for number in found.groups()[:3]):
            raise machine.Failure(f"wrk: {found[0]}")
    found = re.search(r"Non-2xx or 3xx responses: \d+", text)
    if found:
        raise machine.Failure(f"wrk: {found[0]}")
    return figures


def load(port, connections, seconds, where, watch):
    """Runs wrk and returns its report; calls watch() a few times a second meanwhile."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}/"]
    deadline = time.monotonic() + seconds + 30
    with tempfile.TemporaryFile() as report:
        process = machine.start(command, where, stdout=report, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise machine.Failure(f"wrk did not end in {seconds + 30} s")
                watch()
                time.sleep(0.2)
        finally:
            machine.stop(process)
        report.seek(0)
        text = report.read().decode()
    if process.returncode != 0:
        raise machine.Failure(f"wrk: {machine.ending(process.returncode)}: {text.strip()[-200:]}")
    return text


def measure(command, library, where, connections, seconds):
    """Starts a server, loads it, ends it; wrk's figures, and the server's CPU, threads and memory."""
    server_cpus, load_cpus = where
    threads = 0
    with tempfile.TemporaryFile() as errors:
        server = machine.start(command, server_cpus, library, stdout=subprocess.PIPE, stderr=errors)

        def watch():
            nonlocal threads
            threads = max(threads, status_of(server.pid, "Threads"))

        try:
            port = wait_for_port(server)
            overflows = listen_overflows()
            cpu = cpu_seconds(server.pid)
            report = load(port, connections, seconds, load_cpus, watch)
            if server.poll() is not None:
                raise machine.Failure(f"the server ended: {machine.ending(server.returncode)}")
            cpu = cpu_seconds(server.pid) - cpu
            memory = status_of(server.pid, "VmHWM")
            figures = parse_wrk(report)
        except machine.Failure as failure:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise machine.Failure(f"{failure}" + (f" (server: {said[-1]})" if said else "")) from failure
        finally:
            machine.stop(server)
            server.stdout.close()
    figures["cpu"] = cpu * 1e6 / figures["requests"]
    figures["busy"] = figures["cpu"] * figures["rate"] / 1e4
    figures["threads"] = threads
    figures["memory"] = memory / 1024
    figures["overflows"] = listen_overflows() - overflows
    return figures
