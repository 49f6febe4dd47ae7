# SPDX-License-Identifier: MIT
"""Icecast: threads for accepting, for connections and for sending files; a source thread for each stream.

It ends by a null pointer when its first connection comes before its statistics thread has run for the first time:
the counter is counted up before that thread has made it. Natively that has been seen on a crowded machine only. Under
weft with one processor the thread waits until the main thread parks, which can be milliseconds, and our look whether
the server accepts is such a connection.
"""

import os

import gallery


class Icecast(gallery.Server):
    packages = ["icecast2", "curl"]
    programs = ["icecast2", "curl", "wrk"]
    threads = "a pool, one a stream"
    remark = "it may end at its first connection, also natively: see icecast.py"
    connections = (8, 64)

    def prepare(self):
        self.sums = self.files("web")
        self.write("web/small", "x" * 1024)
        os.mkdir(self.path("log"))
        owner = ""
        if os.getuid() == 0:
            owner = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"
            for folder, _, names in os.walk(self.folder):
                for name in ["", *names]:
                    os.chmod(os.path.join(folder, name), 0o777)
        self.write("icecast.xml", f"""<icecast>
<limits><clients>2000</clients><sources>5</sources><queue-size>524288</queue-size></limits>
<authentication><source-password>secret</source-password><admin-user>admin</admin-user>
<admin-password>secret</admin-password></authentication>
<hostname>localhost</hostname>
<listen-socket><port>{self.port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<paths><basedir>{self.folder}</basedir><logdir>{self.path('log')}</logdir><webroot>{self.path('web')}</webroot>
<adminroot>{self.path('web')}</adminroot></paths>
<logging><accesslog>access</accesslog><errorlog>error</errorlog><loglevel>2</loglevel></logging>
<security><chroot>0</chroot>{owner}</security></icecast>
""")

    def command(self):
        return ["icecast2", "-c", self.path("icecast.xml")]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/")

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, "/small")
