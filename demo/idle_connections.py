#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Idle connections on the thread-per-connection server: memory, beside the same server natively and on epoll.

Each connection makes one request and then stays open. Memory is the server's own (resident pages and page tables) and
the kernel stacks of its threads, by /proc. Exit code 0 when all three held all connections, 2 when one did not.
"""

import argparse
import os
import resource
import signal
import socket
import subprocess
import sys

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
RESERVE = 64  # descriptors for everything else


def arguments():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    build = os.environ.get("WEFT_BUILD", os.path.join(root, "build"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", metavar="DIR", default=build)
    parser.add_argument("--connections", metavar="N", type=int, default=15000, help="default 15000")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if not 1 <= options.connections <= hard - RESERVE:
        parser.error(f"connections: 1 to {hard - RESERVE}, for the limit of open files is {hard}")
    options.library = os.path.join(options.build, "preload/libweft.so")
    options.threaded = os.path.join(options.build, "demo/http_server")
    options.epoll = os.path.join(options.build, "demo/epoll_http_server")
    for path in (options.library, options.threaded, options.epoll):
        if not os.path.exists(path):
            parser.error(f"there is no {path}: build it")
    return options


def fields(path, *names):
    """The sum of these fields, in kB."""
    with open(path, encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return sum(int(lines[name].split()[0]) for name in names if name in lines)


def memory(pid):
    """kB of the server; and of all kernel stacks of the machine, of which only the difference says something."""
    return fields(f"/proc/{pid}/status", "VmRSS", "VmPTE"), fields("/proc/meminfo", "KernelStack")


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(REQUEST)
    if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
        raise OSError("no answer")
    return connection


def hold(command, library, count):
    """(connections held, bytes each in the server, bytes each in kernel stacks, threads of the kernel)"""
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if library:
        environment["LD_PRELOAD"] = library
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    connections = []
    try:
        port = int(server.stdout.readline().removeprefix("listening on "))
        connections.append(connect(port))
        before = memory(server.pid)
        while len(connections) < count:
            try:
                connections.append(connect(port))
            except OSError:
                break
        after = memory(server.pid)
        with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
            threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
        for connection in connections[:: max(1, len(connections) // 100)]:  # they still work
            connection.sendall(REQUEST)
            if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                raise OSError("a connection died")
        more = max(1, len(connections) - 1)
        return (len(connections), *((after[i] - before[i]) * 1024 // more for i in (0, 1)), threads)
    finally:
        for connection in connections:
            connection.close()
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def main():
    options = arguments()
    sides = {
        "thread per connection, native": ([options.threaded, "--port", "0"], None),
        "thread per connection, weft": ([options.threaded, "--port", "0"], options.library),
        "epoll": ([options.epoll, "--port", "0", "--threads", "1"], None),
    }
    complete = True
    print("| server | connections | bytes each | kernel stack each | kernel threads |")
    print("|---|---|---|---|---|")
    for name, (command, library) in sides.items():
        held, each, stack, threads = hold(command, library, options.connections)
        complete &= held == options.connections
        print(f"| {name} | {held:,} | {each:,} | {stack:,} | {threads:,} |", flush=True)
    return 0 if complete else 2


if __name__ == "__main__":
    sys.exit(main())
