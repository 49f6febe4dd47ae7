# SPDX-License-Identifier: MIT
"""Icecast: threads for accepting, for connections and for sending files; a source thread for each stream.

It has a race of its own at its start. stats_initialize() makes a thread whose first act is to queue "the counter
`connections` is 0"; for each connection the main thread queues "`connections` goes up by 1". When that comes first,
process_global_event() copies the value of a counter that is not there (strdup of NULL, in the statistics thread). So
it ends by signal 11 when somebody connects before that thread has run: natively in 9 of 10 starts with one CPU and
SCHED_FIFO (`chrt -f 1 taskset -c 0`), and in all when each new thread first sleeps 20 ms; under weft, where a new
thread waits for its creator to park or for an idle processor to take it, in 18 of 40 starts with one processor and 7 of
52 with two. Nobody may connect, therefore, before all its threads sleep.
"""

import os

import gallery
import process


class Icecast(gallery.Server):
    packages = ["icecast2", "curl"]
    programs = ["icecast2", "curl", "wrk"]
    threads = "a pool, one a stream"
    remark = "its statistics thread must run before the first connection: see icecast.py"
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
<logging><accesslog>access</accesslog><errorlog>error</errorlog><loglevel>3</loglevel></logging>
<security><chroot>0</chroot>{owner}</security></icecast>
""")

    def command(self):
        return ["icecast2", "-c", self.path("icecast.xml")]

    def ready(self, pid):
        try:
            with open(self.path("log/error"), encoding="utf-8") as file:
                return "server started" in file.read() and process.at_rest(pid)
        except OSError:
            return False

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/")

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds, "/small")
