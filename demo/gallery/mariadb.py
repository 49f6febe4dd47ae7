# SPDX-License-Identifier: MIT
"""MariaDB: a thread for each connection, some dozens more for itself. The load is sysbench."""

import os

import gallery

TABLES, ROWS = 2, 2000


class Mariadb(gallery.Server):
    packages = ["mariadb-server", "mariadb-client", "sysbench"]
    programs = ["mariadbd", "mariadb", "mariadb-install-db", "sysbench"]
    threads = "one a connection"
    connections = (64, 512, 2000)
    workload = "oltp_point_select"

    def prepare(self):
        gallery.quiet("mariadb-install-db", "--no-defaults", f"--datadir={self.path('data')}", "--skip-test-db",
                      "--auth-root-authentication-method=normal", *self.user())

    def user(self):
        return ["--user=root"] if os.getuid() == 0 else []

    def command(self):
        return ["mariadbd", "--no-defaults", f"--datadir={self.path('data')}", f"--socket={self.path('socket')}",
                f"--pid-file={self.path('pid')}", f"--port={self.port}", "--bind-address=127.0.0.1",
                "--max-connections=2500", "--back-log=2500", "--table-open-cache=400", "--skip-log-bin",
                "--innodb-flush-log-at-trx-commit=0", *self.user()]

    def sql(self, text, *options):
        return self.ask("mariadb", "--no-defaults", "-uroot", "-h127.0.0.1", f"-P{self.port}", "-N", *options,
                        "-e", text)

    def bench(self, *words):
        return ["sysbench", "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={self.port}",
                "--mysql-user=root", "--db-ps-mode=disable", f"--tables={TABLES}", f"--table-size={ROWS}",
                "--percentile=99", *words]

    def fill(self):
        self.sql("create database sbtest; create database bank; use bank; create table account (id int primary key, "
                 "amount int) engine=innodb; insert into account select seq, 100 from seq_1_to_50")
        self.ask(*self.bench("oltp_read_write", "prepare"))

    def check(self):
        # Transfers between accounts, in transactions that collide: the sum stays, each is done once.
        def transfer(number):
            source, target = number * 7 % 50 + 1, (number * 7 + 13) % 50 + 1
            first, second = sorted((source, target))
            self.sql("".join(
                f"start transaction; select amount from account where id in ({first}, {second}) for update; "
                f"update account set amount = amount - 1 where id = {source}; "
                f"update account set amount = amount + 1 where id = {target}; commit; " for _ in range(5)), "bank")

        self.many(80, transfer)
        self.expect("sum of the accounts", self.sql("select sum(amount), count(*) from bank.account"), "5000\t50\n")
        # Waits that end by time, by kill, and by the lock's release.
        self.expect("sleep", self.sql("select sleep(0.1), get_lock('a', 1), release_lock('a')"), "0\t1\t1\n")
        self.ask(*self.bench("--threads=32", "--events=600", "--time=30", "--mysql-ignore-errors=1213,1205,1020",
                             "oltp_read_write", "run"))
        tables = ", ".join(f"sbtest{number + 1}" for number in range(TABLES))
        found = self.sql(f"check table {tables} extended", "sbtest").split("\n")[:-1]
        self.expect("check table", [line.split("\t")[3] for line in found], ["OK"] * TABLES)
        self.expect("rows", self.sql("select count(*) from sbtest1", "sbtest"), f"{ROWS}\n")

    def load(self, seconds):
        patterns = [r"transactions:\s+(?P<requests>\d+)\s+\((?P<rate>[\d.]+) per sec",
                    r"99th percentile:\s+(?P<p99>[\d.]+)", r"ignored errors:\s+(?P<errors>\d+)"]
        command = self.bench("--threads={connections}", "--time={seconds}", self.workload, "run")
        return gallery.loads.CommandLoad(command, seconds, patterns)
