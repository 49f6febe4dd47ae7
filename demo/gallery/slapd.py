# SPDX-License-Identifier: MIT
"""OpenLDAP's slapd: one thread waits for readiness, a pool of 16 works."""

import os

import gallery

PEOPLE = 200
NAME = "dc=example,dc=org"


def element(tag, *contents):
    """BER, for lengths below 128."""
    data = b"".join(contents)
    return bytes([tag, len(data)]) + data


def search(name):
    """A search for uid=name below the base, by message 2."""
    equal = element(0xa3, element(0x04, b"uid"), element(0x04, name.encode()))
    return element(0x30, element(0x02, b"\2"), element(
        0x63, element(0x04, NAME.encode()), element(0x0a, b"\2"), element(0x0a, b"\0"), element(0x02, b"\0"),
        element(0x02, b"\0"), element(0x01, b"\0"), equal, element(0x30, element(0x04, b"sn"))))


def answer(name, value):
    attribute = element(0x30, element(0x04, b"sn"), element(0x31, element(0x04, value.encode())))
    entry = element(0x30, element(0x02, b"\2"), element(
        0x64, element(0x04, f"uid={name},{NAME}".encode()), element(0x30, attribute)))
    done = element(0x30, element(0x02, b"\2"), element(
        0x65, element(0x0a, b"\0"), element(0x04), element(0x04)))
    return entry + done


class Slapd(gallery.Server):
    packages = ["slapd", "ldap-utils"]
    programs = ["slapd", "slapadd", "ldapsearch", "ldapmodify"]
    threads = "a pool of 16"

    def prepare(self):
        os.mkdir(self.path("data"))
        self.write("slapd.conf", f"""include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {self.path('pid')}
argsfile {self.path('arguments')}
database mdb
suffix "{NAME}"
rootdn "cn=root,{NAME}"
rootpw secret
directory {self.path('data')}
index uid eq
""")
        entries = [f"dn: {NAME}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n"]
        entries += [f"dn: uid=user{number},{NAME}\nobjectClass: inetOrgPerson\ncn: User {number}\nsn: name{number}\n"
                    f"uid: user{number}\n" for number in range(PEOPLE)]
        self.write("entries.ldif", "\n".join(entries))
        gallery.quiet("slapadd", "-f", self.path("slapd.conf"), "-l", self.path("entries.ldif"))

    def command(self):
        return ["slapd", "-d", "0", "-f", self.path("slapd.conf"), "-h", f"ldap://127.0.0.1:{self.port}"]

    def found(self, *filters):
        return self.ask("ldapsearch", "-x", "-LLL", "-H", f"ldap://127.0.0.1:{self.port}", "-b", NAME, *filters)

    def check(self):
        def read(number):
            name = f"user{number % PEOPLE}"
            self.expect(name, self.found(f"(uid={name})", "sn").split("\n")[1], f"sn: name{number % PEOPLE}")

        def modify(number):
            change = self.write(f"change{number}", f"dn: uid=user{number},{NAME}\nchangetype: modify\nreplace: sn\n"
                                                   f"sn: changed{number}\n")
            self.ask("ldapmodify", "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", f"cn=root,{NAME}", "-w", "secret",
                     "-f", change)

        self.many(100, read)
        self.many(30, modify)
        for number in range(30):
            self.expect("modified", self.found(f"(uid=user{number})", "sn").split("\n")[1], f"sn: changed{number}")
        self.expect("entries", self.found("(uid=*)", "uid").count("dn: "), PEOPLE)

    def load(self, seconds):
        # slapd accepts slowly while it answers: after 2.7 s it had taken some 270 of 1,000 connections natively, up to
        # 580 under weft. Without a first exchange the latencies would be those of more connections.
        found = answer("user77", "name77")
        return gallery.loads.ExchangeLoad(seconds, "--open", f"{search('user77').hex()}:{len(found)}",
                                          "--send", search("user77").hex(), "--reply", found.hex())
