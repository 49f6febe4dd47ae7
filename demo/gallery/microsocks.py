# SPDX-License-Identifier: MIT
"""microsocks: a SOCKS5 proxy, a thread for each connection. The load sends through it to an epoll server."""

import gallery


class Microsocks(gallery.Server):
    packages = ["microsocks", "curl"]
    programs = ["microsocks", "curl"]
    threads = "one a connection"

    def prepare(self):
        self.sums = self.files("files")
        self.origin = self.behind_files("files")
        self.fast = self.behind(self.demo("epoll_http_server"), "--port", "{port}", "--body", "64")

    def command(self):
        return ["microsocks", "-i", "127.0.0.1", "-p", str(self.port)]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.origin}/", f'socks5 = "127.0.0.1:{self.port}"')

    def load(self, seconds):
        target = b"\x05\x01\x00\x01\x7f\x00\x00\x01" + self.fast.to_bytes(2, "big")
        return gallery.loads.ExchangeLoad(
            seconds, "--open", "050100:2", "--open", target.hex() + ":10",
            "--send", gallery.hexadecimal("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "--reply", gallery.hexadecimal(gallery.demo_answer(64)))
