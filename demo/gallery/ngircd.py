# SPDX-License-Identifier: MIT
"""ngIRCd: one process with one thread; its look-ups of names are processes of their own."""

import os
import socket

import gallery


class Ngircd(gallery.Server):
    packages = ["ngircd"]
    programs = ["ngircd"]
    threads = "none"
    remark = "one thread on epoll: nothing for weft to do"
    connections = ()  # its limits against floods are the measure of any load

    def prepare(self):
        user = "\nServerUID = nobody\nServerGID = nogroup" if os.getuid() == 0 else ""
        self.write("ngircd.conf", f"[Global]\nName = irc.example.org\nInfo = gallery\nPorts = {self.port}\n"
                                  f"Listen = 127.0.0.1{user}\nMotdPhrase = hello\n[Limits]\nMaxConnections = 0\n"
                                  "MaxConnectionsIP = 0\n[Options]\nDNS = no\nIdent = no\nPAM = no\nSyslogFacility = local1\n")

    def command(self):
        return ["ngircd", "-n", "-f", self.path("ngircd.conf")]

    def check(self):
        """Every member of a channel hears what every other one says."""
        members = []
        for number in range(10):
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            file = connection.makefile("rwb")
            file.write(f"NICK n{number}\r\nUSER u 0 * :x\r\nJOIN #room\r\n".encode())
            file.flush()
            while b" 366 " not in file.readline():  # the end of the list of names
                pass
            members.append((connection, file))
        for number, (_, file) in enumerate(members):
            file.write(f"PRIVMSG #room :from {number}\r\n".encode())
            file.flush()
        for number, (connection, file) in enumerate(members):
            heard = set()
            while len(heard) < 9:
                line = file.readline().decode()
                if "PRIVMSG" in line:
                    heard.add(int(line.rsplit(" ", 1)[1]))
            self.expect("heard", heard, set(range(10)) - {number})
        for connection, file in members:
            file.close()
            connection.close()
