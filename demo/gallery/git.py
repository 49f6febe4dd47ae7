# SPDX-License-Identifier: MIT
"""git clone over HTTP: a family of processes. fetch-pack has a thread that sorts what arrives, index-pack four.

A request is a clone. What answers is git-http-backend below Python's CGI server.
"""

import os
import random
import subprocess

import gallery

COMMITS, FILES = 30, 40


class Git(gallery.Client):
    packages = ["git", "python3"]
    programs = ["git", gallery.PYTHON]
    threads = "1 and 4, in two of six processes"
    remark = "computes, and starts processes"
    connections = (1, 4)

    def git(self, *words):
        return self.ask("git", *words, env=self.environment).strip()

    def prepare(self):
        # Python's server gives up root for its scripts, and git asks whose a repository is.
        self.environment |= {"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
                             "GIT_CONFIG_KEY_1": "pack.threads", "GIT_CONFIG_VALUE_1": "4",
                             "GIT_TERMINAL_PROMPT": "0", "GIT_PROJECT_ROOT": self.folder, "GIT_HTTP_EXPORT_ALL": "1",
                             "NO_PROXY": "*"}
        self.history()
        os.mkdir(self.path("cgi-bin"))
        os.symlink(os.path.join(self.git("--exec-path"), "git-http-backend"), self.path("cgi-bin/git"))
        self.port = self.behind(gallery.PYTHON, "-m", "http.server", "--cgi", "--bind", "127.0.0.1", "{port}",
                                cwd=self.folder, env=self.environment)

    def history(self):
        """A repository with branches and tags, the same one every time."""
        generator, lines = random.Random(gallery.SEED), []
        texts = ["".join(generator.choices("abcdefgh \n", k=generator.randrange(8000))) for _ in range(FILES)]
        for number in range(COMMITS):
            lines += [f"commit refs/heads/branch{number % 3}", f"mark :{number + 1}",
                      f"committer A <a@b> {1700000000 + number} +0000", "data 1", str(number % 10)]
            lines += [f"from :{number - 2}"] if number >= 3 else []
            for file, old in enumerate(texts):
                text = texts[file] = old + f"line {number} of {file}\n"
                lines += [f"M 644 inline folder{file % 7}/file{file}", f"data {len(text)}", text]
        for number in range(3):  # no more: a longer request would be compressed, which Python's CGI does not pass on
            lines += [f"tag tag{number}", f"from :{5 * number + 1}", "tagger A <a@b> 1700000000 +0000", "data 1", "t"]
        self.git("init", "-q", "--bare", "-b", "branch0", self.path("origin.git"))
        with open(self.write("history", "\n".join(lines) + "\n"), "rb") as file:
            subprocess.run(["git", "-C", self.path("origin.git"), "fast-import", "--quiet"], stdin=file, check=True,
                           env=self.environment)
        self.git("-C", self.path("origin.git"), "repack", "-a", "-d", "-f", "-q")  # to deltas, for index-pack to resolve

    def clone(self, name):
        return ["git", "clone", "-q", f"http://127.0.0.1:{self.port}/cgi-bin/git/origin.git", self.path(name)]

    def check(self):
        def refs(folder, *words):
            form = "--format=%(objectname) %(refname:lstrip=-1)"
            return self.git("-C", self.path(folder), "for-each-ref", form, *words)

        for number in range(5):
            copy = f"copy{number}"
            self.run(*self.clone(copy))
            self.expect("tags", refs(copy, "refs/tags"), refs("origin.git", "refs/tags"))
            self.expect("branches", refs(copy, "refs/remotes/origin/branch*"), refs("origin.git", "refs/heads"))
            self.git("-C", self.path(copy), "fsck", "--strict")
            self.expect("changes", self.git("-C", self.path(copy), "status", "--porcelain"), "")

    def load(self, seconds, connections):
        clones = 4 * seconds
        script = f"seq {clones} | xargs -P {connections} -I N {' '.join(self.clone('loadN'))}"
        return gallery.Counted(["sh", "-c", script], seconds, clones)
