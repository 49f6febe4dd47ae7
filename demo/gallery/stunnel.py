# SPDX-License-Identifier: MIT
"""stunnel: a thread for each connection. One process is both ends of the tunnel: plain, TLS, plain.

Both sides run with MALLOC_TOP_PAD_, so that glibc's malloc keeps memory. Without it each record may map and unmap the end
of an arena or not, as its arena's fill happens to be: that decides the throughput, natively as well.
"""

import gallery


class Stunnel(gallery.Server):
    packages = ["stunnel4", "openssl", "curl"]
    programs = ["stunnel4", "openssl", "curl"]
    threads = "one a connection"
    connections = (64, 500)

    def prepare(self):
        self.environment["MALLOC_TOP_PAD_"] = str(4 << 20)
        self.sums = self.files("files")
        self.origin = self.behind_files("files")
        self.fast = self.behind(self.demo("epoll_http_server"), "--port", "{port}", "--body", "64")
        gallery.quiet("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                      "-keyout", self.path("key.pem"), "-out", self.path("certificate.pem"))
        inner, checked, tls, plain = (gallery.machine.free_port() for _ in range(4))
        self.checked = checked

        def pair(name, accept, through, connect):
            return (f"[{name}-in]\nclient = yes\naccept = 127.0.0.1:{accept}\nconnect = 127.0.0.1:{through}\n"
                    f"[{name}-out]\naccept = 127.0.0.1:{through}\nconnect = 127.0.0.1:{connect}\n"
                    f"cert = {self.path('certificate.pem')}\nkey = {self.path('key.pem')}\n")

        self.write("stunnel.conf", "foreground = yes\npid =\nsyslog = no\ndebug = warning\n"
                   f"output = {self.path('log')}\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n"
                   + pair("load", self.port, tls, self.fast) + pair("check", checked, inner, self.origin))

    def command(self):
        return ["stunnel4", self.path("stunnel.conf")]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.checked}/")

    def load(self, seconds):
        request = gallery.hexadecimal("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = gallery.demo_answer(64)
        # The tunnel of a connection is made when it is first used: that is no part of the exchanges.
        return gallery.loads.ExchangeLoad(seconds, "--open", f"{request}:{len(answer)}", "--send", request,
                                          "--reply", gallery.hexadecimal(answer))
