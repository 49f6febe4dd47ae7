# SPDX-License-Identifier: MIT
"""sysbench by itself: threads that yield and lock, that fight for mutexes, compute, write memory and files."""

import gallery

FIGURES = [r"total number of events:\s+(?P<requests>\d+)", r"total time:\s+(?P<seconds>[\d.]+)s",
           r"99th percentile:\s+(?P<p99>[\d.]+)"]


class Sysbench(gallery.Client):
    packages = ["sysbench"]
    programs = ["sysbench"]
    threads = "as many as wanted; a request is 100 yields between mutexes"

    def bench(self, test, threads, *words):
        return ["sysbench", test, f"--threads={threads}", "--percentile=99", *words]

    def check(self):
        for test, events, words in (("threads", 3000, ["--thread-locks=4"]), ("cpu", 2000, ["--cpu-max-prime=2000"]),
                                    ("memory", 2048, ["--memory-block-size=64K", "--memory-total-size=128M"])):
            output = self.run(*self.bench(test, 64, f"--events={events}", "--time=30", *words, "run"))
            self.expect(test, self.number(r"total number of events:\s+(\d+)", output), events)
        output = self.run(*self.bench("mutex", 64, "--mutex-num=8", "--mutex-locks=500", "--mutex-loops=100", "run"))
        self.expect("mutex", self.number(r"total number of events:\s+(\d+)", output), 64)
        # Every block that is read has the sum that was written.
        files = ["--file-total-size=16M", "--file-num=16", "--file-test-mode=rndrw", "--validate"]
        self.run(*self.bench("fileio", 1, *files, "prepare"))
        output = self.run(*self.bench("fileio", 16, *files, "--events=3000", "--time=30", "run"))
        self.expect("fileio", self.number(r"total number of events:\s+(\d+)", output) >= 3000, True)

    def load(self, seconds, connections):
        return gallery.loads.CommandLoad(
            self.bench("threads", connections, f"--time={seconds}", "--thread-yields=100", "run"), seconds, FIGURES)
