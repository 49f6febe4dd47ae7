#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists the coroutines of a running program: state, what each waits for, and the function of the program on top.

gdb does it, by the script whose path --script prints; with that the same can be had of a core file:
gdb -x "$(weft ps --script)" PROGRAM CORE, then 'help weft'. The program stands still meanwhile: some tenths of a
second, and about a millisecond for each coroutine. A thread that runs at the moment is shown with the kernel thread (LWP)
that runs it.

TIME says for how long it waits at most; and since when, if the program is traced (WEFT_TRACE).

Exit status: 0; 2 with one line on stderr when PID is no process, not under weft, not ours to look at, or gdb is missing.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import command

SCRIPT = os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../gdb/weft.py"))
BEGINNINGS = "ID ", "COUNT ", "Coroutine "  # of what the script prints when it finds no fault


def check_process(pid):
    """Ends with one line for whatever gdb would not, or not clearly, say."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        if status["Tgid"] != str(pid):
            command.fail(f"{pid} is a thread of process {status['Tgid']}; give that number")
        if status["State"].startswith(("Z", "X")):
            command.fail(f"process {pid} has ended; its parent has not asked for its status yet")
        if status["TracerPid"] != "0":
            command.fail(f"process {pid} is traced already, by process {status['TracerPid']} (a debugger or strace)")
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
            objects = {line.rstrip("\n").rpartition("/")[2] for line in file}
    except (FileNotFoundError, ProcessLookupError):
        command.fail(f"there is no process {pid}")
    except PermissionError:
        command.fail(f"process {pid} may not be looked at: permission denied; try as its user or as root")
    if not any(name.startswith("libweft") for name in objects):
        command.fail(f"process {pid} is not under weft: no libweft.so is loaded in it")


def ask_gdb(pid, words):
    """What the gdb command prints, which its other output, about symbols and threads, is kept apart from."""
    with tempfile.NamedTemporaryFile(prefix="weft-ps-", mode="r", encoding="utf-8", errors="replace") as output:
        settings = ["set confirm off", "set pagination off", "set width 0", "set debuginfod enabled off"]
        logged = [f"set logging file {output.name}", "set logging overwrite on", "set logging redirect on",
                  "set logging enabled on", words, "set logging enabled off"]
        arguments = ["gdb", "-nx", "-q", "-batch"]
        for setting in settings:
            arguments += ["-iex", setting]
        arguments += ["-p", str(pid), "-x", SCRIPT]
        for line in logged:
            arguments += ["-ex", line]
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace")
        text = output.read()
    if text.startswith(BEGINNINGS):
        return text
    if text:
        command.fail(text.splitlines()[0])
    if "Operation not permitted" in done.stdout or "Permission denied" in done.stdout:
        command.fail(f"gdb may not attach to process {pid}; try as its user or as root, and see kernel.yama.ptrace_scope")
    if "No such process" in done.stdout:
        command.fail(f"process {pid} has ended meanwhile")
    reasons = [line for line in done.stdout.splitlines() if line.strip()]
    command.fail(f"gdb says: {reasons[-1] if reasons else 'nothing'}")


def main():
    parser = command.Parser("ps", __doc__)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--backtrace", dest="words", action="store_const", const="weft backtrace all", default="weft threads",
                       help="the stack of each, without weft's own frames")
    shown.add_argument("--summary", dest="words", action="store_const", const="weft summary",
                       help="how many there are of each kind")
    shown.add_argument("--script", action="store_true", help="print the path of the gdb script, and no more")
    parser.add_argument("pid", metavar="PID", nargs="?", help="the process")
    options = parser.parse_args()
    if options.script:
        print(SCRIPT)
        return 0
    if options.pid is None:
        parser.error("no PID given")
    if not options.pid.isdecimal() or int(options.pid) == 0:
        command.fail(f"'{options.pid}' is no process id; give a whole number")
    check_process(int(options.pid))
    if not shutil.which("gdb"):
        command.fail("gdb is missing, which 'weft ps' needs; install the package gdb")
    sys.stdout.write(ask_gdb(int(options.pid), options.words))
    return 0


command.run(main)
