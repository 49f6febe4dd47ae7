# SPDX-License-Identifier: MIT
"""BIND: a DNS server, two threads with an event loop each (libuv's), that take many datagrams by one call."""

import os

import gallery
import machine

NAMES = 1000


def address(number):
    return f"10.0.{number // 250}.{number % 250}"


class Bind(gallery.Server):
    packages = ["bind9", "dnsperf", "bind9-dnsutils"]
    programs = ["named", "dnsperf", "dig"]
    threads = "2, event loops"
    connections = (8, 64)
    remark = "its threads wait in epoll_wait for all clients: there is no switch to save"

    def prepare(self):
        os.chmod(self.folder, 0o777)
        records = "".join(f"name{number} IN A {address(number)}\n" for number in range(NAMES))
        self.write("zone", f"$TTL 60\n@ IN SOA ns root 1 60 60 60 60\n@ IN NS ns\nns IN A 127.0.0.1\n{records}")
        self.write("named.conf", f"""options {{
    directory "{self.folder}";
    pid-file none;
    session-keyfile none;
    managed-keys-directory "{self.folder}";
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
}};
controls {{ }};
zone "example" {{ type primary; file "{self.path('zone')}"; }};
""")
        self.write("queries", "".join(f"name{number}.example A\n" for number in range(NAMES)))

    def command(self):
        return ["named", "-g", "-n", "2", "-c", self.path("named.conf")]

    def look_up(self, number, *options):
        text = self.ask("dig", "+short", *options, "-p", str(self.port), "@127.0.0.1", f"name{number}.example")
        return "\n".join(line for line in text.splitlines() if not line.startswith(";"))  # dig's own remarks

    def ready(self, pid):
        """It accepts before it has loaded its zone."""
        try:
            return self.look_up(0) == address(0)
        except machine.Failure:
            return False

    def check(self):
        def ask(number):
            transport = ["+tcp"] if number % 2 else []
            self.expect("answer", self.look_up(number, *transport), address(number))

        self.many(400, ask)

    def load(self, seconds):
        # 64 questions under way at a time: with 8 dnsperf itself sleeps (660 to 40,000 answers a second, natively, too).
        return gallery.loads.CommandLoad(
            "dnsperf -s 127.0.0.1 -p {port} -c {connections} -q 64 -l {seconds} -d " + self.path("queries"), seconds,
            [r"Queries completed: +(?P<requests>\d+)", r"Queries per second: +(?P<rate>[\d.]+)",
             r"Queries lost: +(?P<errors>\d+)"])
