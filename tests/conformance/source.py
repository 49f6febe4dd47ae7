# SPDX-License-Identifier: MIT
"""Test suites from Debian's source packages: fetched, unpacked, compiled.

Everything stays below one directory. apt works on lists of its own there: the machine's configured sources, each
`deb` made a `deb-src`, so neither the machine's configuration nor its lists change, and no privilege is needed.
"""

import concurrent.futures
import os
import re
import subprocess
from pathlib import Path

FETCH_SECONDS = 120
APT_DIRECTORY = Path("/etc/apt")
# The suite's own Makefile adds -Werror, which the compilers of today do not pass.
COMPILE = "gcc -std=gnu99 -O2 -w -D_POSIX_C_SOURCE=200112L -D_XOPEN_SOURCE=600".split()
LIBRARIES = "-lpthread -lrt -lm".split()
# A mistake of posixtestsuite: a detached thread on a stack of the program's, which the next round gives to another
# thread while the first may still be ending. The comment above that table forbids it. Natively a round takes longer than
# a thread's end mostly does; held up for 6 ms there, it crashes in most runs of pthread_create/14-1.
SCENARIOS, SCENARIO_THAT_RACES = "threads_scenarii.c", "Detached, Alternative stack"


class NotAvailable(Exception):
    """The source cannot be had on this machine. The text says why, in one line."""


def deb822_sources(text):
    """Stanzas of a .sources file that name binary packages, for source packages instead."""
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        types = next((line for line in lines if re.match(r"(?i)types:", line)), "")
        if "deb" in types.split()[1:] and not re.search(r"(?im)^enabled:\s*(no|false|off|0)\s*$", stanza):
            yield "\n".join("Types: deb-src" if line is types else line for line in lines) + "\n"


def one_line_sources(text):
    """Lines `deb [options] uri suite component...` of a .list file, for source packages instead."""
    for line in text.splitlines():
        if re.match(r"\s*deb\s", line):
            yield re.sub(r"^\s*deb\s", "deb-src ", line) + "\n"


def write_apt_sources(directory):
    directory.mkdir(parents=True, exist_ok=True)
    found = False
    for file in [APT_DIRECTORY / "sources.list", *sorted((APT_DIRECTORY / "sources.list.d").glob("*"))]:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        style = deb822_sources if file.suffix == ".sources" else one_line_sources
        text = "\n".join(style(file.read_text()))
        (directory / file.name).write_text(text)
        found |= bool(text)
    if not found:
        raise NotAvailable("no package source is configured for apt")


def apt_get(apt, *arguments, cwd):
    settings = {"Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": apt / "sources",
                "Dir::State::Lists": apt / "lists", "Dir::Cache": apt / "cache", "APT::Sandbox::User": "",
                "Acquire::Retries": 1, "Acquire::http::Timeout": 20, "Acquire::https::Timeout": 20}
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    try:
        return subprocess.run(["apt-get", "-q", "-y", *options, *arguments], cwd=cwd, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=FETCH_SECONDS)
    except FileNotFoundError:
        raise NotAvailable("there is no apt-get here") from None
    except subprocess.TimeoutExpired:
        raise NotAvailable(f"apt-get {arguments[0]} took more than {FETCH_SECONDS} s") from None


def remove_scenario_that_races(tree):
    for file in tree.rglob(SCENARIOS):
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if SCENARIO_THAT_RACES not in line))


def fetch(directory, package):
    """Returns the unpacked source tree below `directory`, which is fetched the first time. One package has one."""
    tree = directory / "source"
    if tree.is_dir():
        return tree
    if not Path("/usr/bin/dpkg-source").exists():
        raise NotAvailable("dpkg-source is missing: install dpkg-dev (tools/install-dependencies test)")
    apt = directory / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    write_apt_sources(apt / "sources")
    # Some of the machine's sources may have no source packages: the source package decides, not this result.
    apt_get(apt, "update", cwd=apt)
    result = apt_get(apt, "source", "--download-only", "--only-source", package, cwd=apt)
    descriptions = sorted(apt.glob(f"{package}_*.dsc"))
    if result.returncode != 0 or not descriptions:
        reasons = [line for line in result.stdout.splitlines() if line.startswith("E:")] or ["no reason given"]
        raise NotAvailable(f"apt-get source {package}: {reasons[0]}")
    unpacked = directory / "unpacking"
    subprocess.run(["rm", "-rf", unpacked], check=True)
    subprocess.run(["dpkg-source", "--no-check", "-x", descriptions[-1], unpacked], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    remove_scenario_that_races(unpacked)
    unpacked.rename(tree)
    return tree


def compile_one(tree, source):
    """Compiles TEST.c to TEST.test, as the suite's Makefile names it. True when that program exists afterwards."""
    program = source.with_suffix(".test")
    failed = source.with_suffix(".failed")
    if program.exists():
        return True
    if failed.exists():
        return False
    partly = source.with_suffix(f".{os.getpid()}")
    command = [*COMPILE, "-I", tree / "include", "-I", source.parent, source, "-o", partly, *LIBRARIES]
    result = subprocess.run(command, cwd=tree, text=True, errors="replace", stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    if result.returncode != 0:
        failed.write_text(result.stdout)
        return False
    partly.rename(program)
    return True


def compile_all(tree, sources, jobs):
    """Compiles what is not compiled yet; returns the sources that have no program, each once and for all."""
    # A test that executes another one expects it beside itself.
    helpers = {helper for source in sources for helper in source.parent.glob("*-buildonly.c")
               if "main" in helper.read_text(errors="replace")}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        pool.map(lambda helper: compile_one(tree, helper), helpers)
        return [source for source, built in zip(sources, pool.map(lambda source: compile_one(tree, source), sources))
                if not built]
