# SPDX-License-Identifier: MIT
"""python3 -m http.server: CPython, a thread for each connection; they compute in turn, as its lock wills."""

import gallery


class PythonHttp(gallery.Server):
    packages = ["python3", "wrk", "curl"]
    programs = [gallery.PYTHON, "wrk", "curl"]
    threads = "one a connection"
    # More at once would measure how long the kernel takes to send a SYN again: its backlog is 5.
    connections = (8, 64)

    def prepare(self):
        self.sums = self.files("files")
        self.write("files/small", "x" * 1024)

    def command(self):
        return [gallery.PYTHON, "-m", "http.server", "--protocol", "HTTP/1.1", "--bind", "127.0.0.1",
                "--directory", self.path("files"), str(self.port)]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/", at_once=5)

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, "/small")
