# SPDX-License-Identifier: MIT
"""Apache with mpm_worker: a thread for each connection as long as it is kept alive."""

import os

import gallery

MODULES = "/usr/lib/apache2/modules"


class Apache(gallery.Server):
    packages = ["apache2-bin", "wrk", "curl"]
    programs = ["apache2", "wrk", "curl"]
    threads = "one a connection"

    def prepare(self):
        self.sums = self.files("files")
        self.write("files/index.html", "x" * 64)
        user = "User www-data\nGroup www-data\n" if os.getuid() == 0 else ""
        self.write("apache.conf", f"""ServerRoot {self.folder}
ServerName localhost
Listen 127.0.0.1:{self.port}
PidFile {self.path('pid')}
ErrorLog {self.path('error.log')}
DefaultRuntimeDir {self.folder}
LoadModule mpm_worker_module {MODULES}/mod_mpm_worker.so
LoadModule authz_core_module {MODULES}/mod_authz_core.so
LoadModule dir_module {MODULES}/mod_dir.so
{user}ServerLimit 1
StartServers 1
ThreadLimit 1100
ThreadsPerChild 1100
MaxRequestWorkers 1100
MinSpareThreads 1
MaxSpareThreads 1100
ListenBacklog 2000
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 30
DocumentRoot {self.path('files')}
DirectoryIndex index.html
""")

    def command(self):
        return ["apache2", "-D", "FOREGROUND", "-f", self.path("apache.conf")]

    def check(self):
        self.fetch(self.sums, f"http://127.0.0.1:{self.port}/")

    def load(self, seconds):
        return gallery.loads.HttpLoad(seconds)
