# SPDX-License-Identifier: MIT
"""libmicrohttpd, one thread for each connection: microhttpd_server.c."""

import gallery


class Microhttpd(gallery.Server):
    packages = ["libmicrohttpd-dev", "wrk", "curl"]
    programs = ["wrk", "curl"]
    threads = "one a connection"

    def prepare(self):
        self.sums = self.files("files")
        self.write("files/small", "x" * 1024)

    def command(self):
        return [self.demo("gallery/microhttpd_server"), str(self.port), self.path("files")]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/")

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, "/small")
