# SPDX-License-Identifier: MIT
"""HTTP servers under the load of wrk: where, how many connections, and one measurement."""

import load
import machine
import measure

PINNED = "server and load on a core each"
FREE = "both on 2 cores"
CONNECTIONS = (1, 64, 1000, 5000)


def placements():
    """name: the CPUs of the server and of the load."""
    available = machine.cpus()
    return {PINNED: (set(available[:1]), set(available[1:])), FREE: (set(available), set(available))}


def measured(command, library, where, connections, seconds):
    """The figures of tools/compare/measure.py; errors other than timeouts are a failure."""
    port = machine.free_port()
    command = load.fill(command, {"port": port})
    figures = measure.measure(command, port, load.HttpLoad(seconds), connections, where, library)
    if figures["errors"] > figures["timeouts"]:
        raise machine.Failure(f"wrk: {figures['errors']} errors, {figures['timeouts']} of them timeouts")
    return figures
