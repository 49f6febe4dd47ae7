# SPDX-License-Identifier: MIT
"""sysbench as the client of a native MariaDB: a thread with a connection for each user."""

import mariadb
import gallery


class SysbenchOltp(gallery.Client):
    packages = mariadb.Mariadb.packages
    programs = mariadb.Mariadb.programs
    threads = "one a connection"
    connections = (64, 512)

    def prepare(self):
        self.database = mariadb.Mariadb(self.folder, self.build, [])
        self.stack.enter_context(self.database.living())

    def check(self):
        # Each writes as many rows as it was told, and what they leave is what a native one can read.
        output = self.run(*self.database.bench("--threads=32", "--events=1000", "--time=30", "oltp_insert", "run"))
        self.expect("transactions", self.number(r"transactions:\s+(\d+)", output), 1000)
        rows = self.database.sql("select (select count(*) from sbtest1) + (select count(*) from sbtest2)", "sbtest")
        self.expect("rows", int(rows), mariadb.TABLES * mariadb.ROWS + 1000)
        output = self.run(*self.database.bench("--threads=64", "--events=2000", "--time=30", "oltp_read_only", "run"))
        self.expect("transactions", self.number(r"transactions:\s+(\d+)", output), 2000)
        self.database.server.check("by itself during the check")

    def load(self, seconds, connections):
        load = self.database.load(seconds)
        load.words = load.command(self.database.port, connections)
        return load
