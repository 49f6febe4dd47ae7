# SPDX-License-Identifier: MIT
"""tinyproxy: an HTTP proxy, a thread for each connection, a connection for each request."""

import gallery


class Tinyproxy(gallery.Server):
    packages = ["tinyproxy-bin", "curl"]
    programs = ["tinyproxy", "curl"]
    threads = "one a connection"

    def prepare(self):
        self.sums = self.files("files")
        self.origin = self.behind_files("files")
        self.fast = self.behind(self.demo("epoll_http_server"), "--port", "{port}", "--body", "64")
        self.write("tinyproxy.conf", f"Port {self.port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 30\n"
                                     f"MaxClients 2000\nDisableViaHeader Yes\nLogLevel Warning\nLogFile \"{self.path('log')}\"\n")

    def command(self):
        return ["tinyproxy", "-d", "-c", self.path("tinyproxy.conf")]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.origin}/", f'proxy = "http://127.0.0.1:{self.port}"')

    def load(self, seconds):
        request = f"GET http://127.0.0.1:{self.fast}/ HTTP/1.1\r\nHost: 127.0.0.1:{self.fast}\r\n\r\n"
        return gallery.loads.ExchangeLoad(seconds, "--reconnect", "--send", gallery.hexadecimal(request),
                                          "--reply", gallery.hexadecimal(gallery.demo_answer(64)))
