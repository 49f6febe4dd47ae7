# SPDX-License-Identifier: MIT
"""Squid: an HTTP proxy, one thread serves all; with a cache on disk (aufs) 16 threads read and write files."""

import os

import gallery


class Squid(gallery.Server):
    packages = ["squid", "wrk", "curl"]
    programs = ["squid", "wrk", "curl"]
    threads = "16 for the disk"
    remark = "its one working thread is on epoll; the others wait for files"

    def prepare(self):
        self.sums = self.files("files")
        self.origin = self.behind_files("files")
        self.fast = self.behind(self.demo("epoll_http_server"), "--port", "{port}")
        user = ""
        if os.getuid() == 0:
            user = "cache_effective_user nobody\ncache_effective_group nogroup\n"
            os.chmod(self.folder, 0o777)
        self.write("squid.conf", f"http_port 127.0.0.1:{self.port}\nhttp_access allow localhost\n{user}"
                                 f"pid_filename none\ncache_log {self.path('cache.log')}\naccess_log none\n"
                                 f"coredump_dir {self.folder}\ncache_dir aufs {self.path('cache')} 100 4 16\n"
                                 "refresh_pattern . 60 100% 60 override-lastmod\nshutdown_lifetime 0 seconds\n"
                                 "pinger_enable off\nmaximum_object_size 4 MB\n")
        gallery.quiet("squid", "-N", "-z", "-f", self.path("squid.conf"))
        self.write("ask.lua", f'function request() return wrk.format("GET", "http://127.0.0.1:{self.fast}/") end\n')

    def command(self):
        return ["squid", "-N", "-f", self.path("squid.conf")]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.origin}/", f'proxy = "http://127.0.0.1:{self.port}"')

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, script=self.path("ask.lua"))
