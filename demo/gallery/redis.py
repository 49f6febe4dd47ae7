# SPDX-License-Identifier: MIT
"""Redis: one thread serves all connections, four write replies (io-threads), some work in the background."""

import gallery


class Redis(gallery.Server):
    packages = ["redis-server", "redis-tools"]
    programs = ["redis-server", "redis-cli"]
    threads = "4 for I/O, 3 in the background"

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder,
                "--appendonly", "yes", "--io-threads", "4", "--maxclients", "4000"]

    def cli(self, *words):
        return self.ask("redis-cli", "-p", str(self.port), *words).strip()

    def fill(self):
        self.cli("set", "key", "v" * 100)

    def check(self):
        def use(number):
            self.expect("set", self.cli("set", f"k{number}", f"value-{number}"), "OK")
            self.expect("get", self.cli("get", f"k{number}"), f"value-{number}")
            self.cli("incr", "counter")

        self.many(80, use)
        self.expect("counter", self.cli("get", "counter"), "80")
        self.expect("timeout", self.cli("blpop", "nothing", "0.1"), "")
        self.expect("script", self.cli("eval", "return redis.call('incrby', 'counter', 5)", "0"), "85")
        self.expect("flush", self.cli("flushall", "async"), "OK")
        self.expect("size", self.cli("dbsize"), "0")
        self.fill()

    def load(self, seconds):
        value = "v" * 100
        return gallery.loads.ExchangeLoad(seconds, "--send", gallery.hexadecimal("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"),
                                          "--reply", gallery.hexadecimal(f"$100\r\n{value}\r\n"))
