# SPDX-License-Identifier: MIT
"""HAProxy: an HTTP proxy, two threads with an event loop each."""

import gallery


class Haproxy(gallery.Server):
    packages = ["haproxy", "wrk", "curl"]
    programs = ["haproxy", "wrk", "curl"]
    threads = "2, event loops"
    remark = "its threads wait in epoll_wait for many connections already: there is no switch to save"

    def prepare(self):
        self.sums = self.files("files")
        self.origin = self.behind_files("files")
        self.fast = self.behind(self.demo("epoll_http_server"), "--port", "{port}")
        self.write("haproxy.conf", f"""global
    nbthread 2
    maxconn 4000
defaults
    mode http
    timeout connect 20s
    timeout client 60s
    timeout server 60s
frontend all
    bind 127.0.0.1:{self.port}
    use_backend files if {{ path_beg /file }}
    default_backend fast
backend files
    server one 127.0.0.1:{self.origin}
backend fast
    server one 127.0.0.1:{self.fast}
""")

    def command(self):
        return ["haproxy", "-db", "-f", self.path("haproxy.conf")]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/")

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds)
