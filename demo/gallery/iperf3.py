# SPDX-License-Identifier: MIT
"""iperf3: one test at a time, one thread for all streams (before 3.16). A request is a megabit."""

import json

import gallery


class Iperf3(gallery.Server):
    packages = ["iperf3"]
    programs = ["iperf3"]
    threads = "none"
    remark = "one thread on select: nothing for weft to do"
    connections = (8, 64)

    def command(self):
        return ["iperf3", "-s", "-p", str(self.port), "-B", "127.0.0.1"]

    def check(self):
        size = 200 << 20
        report = json.loads(self.ask("iperf3", "-c", "127.0.0.1", "-p", str(self.port), "-J", "-P", "8", "-n",
                                     str(size), "-R"))
        if "error" in report:
            raise gallery.machine.Failure(report["error"])
        if report["end"]["sum_received"]["bytes"] < size * 0.98:
            raise gallery.machine.Failure(f"{report['end']['sum_received']['bytes']} bytes of {size} arrived")

    def load(self, seconds):
        command = ["iperf3", "-c", "127.0.0.1", "-p", "{port}", "-P", "{connections}", "-t", "{seconds}", "-f", "m"]
        return gallery.loads.CommandLoad(command, seconds, [r"\[SUM\].*\s(?P<rate>[\d.]+) Mbits/sec\s+receiver"])
