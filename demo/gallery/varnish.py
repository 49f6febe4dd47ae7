# SPDX-License-Identifier: MIT
"""Varnish: an HTTP cache, a thread for each connection that has a request, and epoll for those that have none."""

import gallery


class Varnish(gallery.Server):
    packages = ["varnish", "wrk", "curl"]
    programs = ["varnishd", "wrk", "curl"]
    threads = "one a request"

    def prepare(self):
        self.sums = self.files("files")
        self.origin = self.behind_files("files")

    def command(self):
        return ["varnishd", "-F", "-j", "none", "-a", f"127.0.0.1:{self.port}", "-b", f"127.0.0.1:{self.origin}",
                "-n", self.path("varnish"), "-s", "malloc,64m", "-T", "none", "-p", "thread_pool_max=2000",
                "-p", "default_ttl=600"]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/")

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, path="/file1")
