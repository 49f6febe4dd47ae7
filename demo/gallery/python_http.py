# SPDX-License-Identifier: MIT
"""python3 -m http.server: CPython, a thread for each connection; they compute in turn, as its lock wills."""

import gallery


class PythonHttp(gallery.Server):
    packages = ["python3", "wrk", "curl"]
    programs = [gallery.PYTHON, "wrk", "curl"]
    threads = "one a connection"
    remark = "CPython computes in one thread at a time, with and without weft"
    # More at once would measure how long the kernel takes to send a SYN again: its backlog is 5.
    connections = (8, 64)

    def prepare(self):
        self.sums = self.files("files")
        self.write("files/small", "x" * 1024)
        # An answer with a body is two writes, which Nagle's algorithm and a late acknowledgement make 40 ms long.
        self.write("ask.lua", 'wrk.path = "/small"\n'
                              'wrk.headers["If-Modified-Since"] = "Thu, 31 Dec 2099 00:00:00 GMT"\n')

    def command(self):
        return [gallery.PYTHON, "-m", "http.server", "--protocol", "HTTP/1.1", "--bind", "127.0.0.1",
                "--directory", self.path("files"), str(self.port)]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/", at_once=5)

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, script=self.path("ask.lua"))
