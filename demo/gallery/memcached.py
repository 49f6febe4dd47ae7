# SPDX-License-Identifier: MIT
"""memcached: four threads, each with an event loop of its own."""

import os
import socket

import gallery

VALUE = "v" * 100


class Memcached(gallery.Server):
    packages = ["memcached"]
    programs = ["memcached"]
    threads = "4, event loops"
    remark = "its threads wait in epoll_wait for many connections already: there is no switch to save"

    def command(self):
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", "4", "-c", "4000",
                *(["-u", "root"] if os.getuid() == 0 else [])]

    def talk(self, *lines):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            file = connection.makefile("rwb")
            answers = []
            for line, count in lines:
                file.write(line.encode())
                file.flush()
                answers += [file.readline().decode().strip() for _ in range(count)]
            return answers

    def fill(self):
        self.expect("set", self.talk((f"set key 0 0 100\r\n{VALUE}\r\n", 1)), ["STORED"])

    def check(self):
        self.expect("counter", self.talk(("set counter 0 0 1\r\n0\r\n", 1)), ["STORED"])

        def use(number):
            value = f"value-{number}"
            got = self.talk((f"set k{number} 0 0 {len(value)}\r\n{value}\r\n", 1), ("incr counter 1\r\n", 0),
                            (f"get k{number}\r\n", 4))
            self.expect("get", [got[0], got[2:]], ["STORED", [f"VALUE k{number} 0 {len(value)}", value, "END"]])

        self.many(500, use)
        self.expect("counter", self.talk(("get counter\r\n", 3))[1], "500")

    def load(self, seconds):
        return gallery.loads.ExchangeLoad(
            seconds, "--send", gallery.hexadecimal("get key\r\n"),
            "--reply", gallery.hexadecimal(f"VALUE key 0 100\r\n{VALUE}\r\nEND\r\n"))
