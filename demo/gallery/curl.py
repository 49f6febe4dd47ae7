# SPDX-License-Identifier: MIT
"""curl --parallel: all transfers in one thread, on poll; a thread for each look at a host's name."""

import os
import socket

import gallery


def host():
    """A name that curl must ask the resolver for, when this machine has one for the loopback address."""
    try:
        return socket.gethostname() if socket.gethostbyname(socket.gethostname()) == "127.0.0.1" else "127.0.0.1"
    except OSError:
        return "127.0.0.1"


class Curl(gallery.Client):
    packages = ["curl"]
    programs = ["curl"]
    threads = "one a name to look up"
    remark = "all transfers in one thread: nothing for weft to do"
    connections = (8, 200)

    def prepare(self):
        self.sums = self.files("files")
        self.origin = self.behind_files("files")
        self.fast = self.behind(self.demo("epoll_http_server"), "--port", "{port}", "--body", "64")

    def check(self):
        self.fetch(self.sums, f"http://{host()}:{self.origin}/", by=self.run)

    def load(self, seconds, connections):
        transfers = 25000 * seconds  # about what a second is natively: the end is seen to 50 ms only
        address = f"http://{host()}:{self.fast}/[1-{transfers}]"
        return gallery.Counted(["curl", "-q", "-s", "-f", "--parallel", "--parallel-immediate", "--parallel-max",
                                str(connections), "--noproxy", "*", "-o", "/dev/null", address], seconds, transfers)
