# SPDX-License-Identifier: MIT
"""siege: a thread for each user, which asks, waits and asks again. The server behind it is our epoll server.

The users have a number of requests, not a time: when its time is up siege cancels its threads asynchronously, some of
them inside malloc, and often hangs then, natively too (the others wait for the lock of the arena).
"""

import gallery

BODY = 5000


class Siege(gallery.Client):
    packages = ["siege"]
    programs = ["siege"]
    threads = "one a user"
    connections = (64, 500)

    def prepare(self):
        self.port = self.behind(self.demo("epoll_http_server"), "--port", "{port}", "--body", str(BODY))

    def command(self, connection, *words):
        configuration = self.write("siegerc", f"connection = {connection}\nlimit = 1000\nparser = false\n"
                                              "verbose = false\ncolor = off\n")
        return ["siege", "-R", configuration, "-j", "-b", *words, f"http://127.0.0.1:{self.port}/"]

    def check(self):
        for connection in "keep-alive", "close":
            report = self.run(*self.command(connection, "-c", "40", "-r", "50"))
            for name, wanted in (("transactions", 2000), ("successful_transactions", 2000), ("failed_transactions", 0),
                                 ("data_transferred", round(2000 * BODY / (1 << 20), 2))):
                self.expect(name, self.number(rf'"{name}":\s+([\d.]+)', report), wanted)

    def load(self, seconds, connections):
        requests = str(20000 * seconds // connections)
        return gallery.loads.CommandLoad(
            self.command("keep-alive", "-c", str(connections), "-r", requests), seconds,
            [r'"transactions":\s+(?P<requests>\d+)', r'"transaction_rate":\s+(?P<rate>[\d.]+)',
             r'"failed_transactions":\s+(?P<errors>\d+)'])
