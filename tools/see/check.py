#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says beforehand whether weft will help a program, and why, from what it and its libraries import.

weft helps programs that have many threads which wait: for each other, or for connections. It cannot help one that creates
no thread, one that the loader preloads nothing into, or one that makes its threads without libc; and it has little to
give to one that waits in an event loop, where no threads have to be switched.

The libraries are those that the loader would load. Those that a program opens while it runs are not seen, nor is what it
does with its threads: that, 'weft compare' tells.

Where programs may not write the FS base (no FSGSBASE), a second line says so: each switch is a system call there.

Exit status: 0 when weft will probably help ('yes', 'perhaps'), 1 when it will not ('no', 'probably not'), 2 with one line
on stderr when PROGRAM is nothing that can be run here.
"""
import ctypes
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

import command

HELPS, HELPS_NOT = 0, 1
AT_HWCAP2, HWCAP2_FSGSBASE = 26, 1 << 1  # getauxval(3)
DEAR_HERE = ("but a switch is a system call here, for this kernel lets no program write its FS base (FSGSBASE: Linux 5.9, "
             "not in all virtual machines); 'weft compare' tells what that costs")
LOADER = "/lib64/ld-linux-x86-64.so.2"
INTERPRETER = re.compile(r"^(python|pypy|perl|ruby|php|lua|tclsh|java$)")
STARTS_OTHERS = re.compile(r"^(ba|da|z|k|)sh$|^env$|^busybox")
# glibc's own parts, which make threads for their own ends at most; and libstdc++, which does it for std::thread only.
GLIBC = re.compile(r"^(libc|libpthread|librt|libanl|libm|libdl|libresolv|libutil|ld-linux-x86-64|linux-vdso)(\.|$)")
CXX, CXX_THREAD = "libstdc++.so", "_ZNSt6thread15_M_start_thread"
CREATES = {"pthread_create", "thrd_create"}
WAITS_IN_LOOP = {"epoll_create", "epoll_create1"}
LOOP_LIBRARY = re.compile(r"^lib(event|ev|uv)\b|^lib(event|ev|uv)_")  # what others do with epoll is not the program's waiting
COMPUTES = ("libgomp.so", "libomp.so", "libtbb.so", "libopenblas.so")


def output_of(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", env={**os.environ, "LC_ALL": "C", "LD_PRELOAD": ""})
    return done.stdout, done.returncode, done.stderr.strip()


def libraries_of(program):
    """The paths of what the loader loads with it. The loader only lists them: nothing of them is run."""
    text, status, problem = output_of(LOADER, "--list", program)
    missing = re.search(r"error while loading shared libraries: (\S+): cannot open shared object file", problem)
    if missing:
        command.fail(f"'{program}' needs the library '{missing[1]}', which is not here; install it")
    if status != 0 and "statically linked" not in text:
        command.fail(f"'{program}' cannot be loaded: {(problem or text.strip()).splitlines()[0]}")
    return re.findall(r"^\s*(?:\S+ => )?(/.+) \(0x[0-9a-f]+\)$", text, re.MULTILINE)


def imports_of(path):
    text, status, problem = output_of("readelf", "--wide", "--dyn-syms", path)
    if status != 0:
        command.fail(f"'{path}' cannot be read: {problem.splitlines()[-1] if problem else 'readelf fails'}")
    return set(re.findall(r"^ *\d+: 0+ .* UND ([^\s@]+)", text, re.MULTILINE))


def is_go(program):
    return re.search(r" \.(go\.buildinfo|note\.go\.buildid) ", output_of("readelf", "--wide", "--sections", program)[0])


def names(paths):
    return ", ".join(os.path.basename(path) for path in paths)


def verdict(program):
    """The exit status and a sentence."""
    if is_go(program):
        return HELPS_NOT, "no: it is a Go program, whose threads and waits do not go through libc"
    libraries = [path for path in libraries_of(program) if not GLIBC.match(os.path.basename(path))]
    imports = {path: imports_of(path) for path in [program, *libraries]}
    cxx_threads = any(name.startswith(CXX_THREAD) for wanted in imports.values() for name in wanted)
    creators = [path for path, wanted in imports.items() if wanted & CREATES or
                any(name.startswith(CXX_THREAD) for name in wanted)]
    creators = [path for path in creators if not os.path.basename(path).startswith(CXX)]
    loops = [path for path, wanted in imports.items()
             if wanted & WAITS_IN_LOOP and (path == program or LOOP_LIBRARY.match(os.path.basename(path)))]
    if STARTS_OTHERS.match(os.path.basename(program)):
        return HELPS, f"perhaps: '{os.path.basename(program)}' starts other programs; check those"
    if INTERPRETER.match(os.path.basename(program)):
        return HELPS, f"perhaps: '{os.path.basename(program)}' is an interpreter; it depends on the threads of what it runs"
    if not creators:
        opened = any("dlopen" in wanted for wanted in imports.values())
        return HELPS_NOT, ("probably not: neither it nor its libraries create threads; libraries that it opens while it runs "
                           "may" if opened else "no: neither it nor its libraries create threads")
    if loops:
        return HELPS_NOT, (f"probably not: it waits in an event loop (epoll in {names(loops)}), "
                           "where there are no threads to switch")
    if all(os.path.basename(path).startswith(COMPUTES) for path in creators):
        return HELPS_NOT, f"no: its threads are those of {names(creators)}, which compute and do not wait"
    if creators[0] != program:
        return HELPS, f"perhaps: not the program itself but libraries of it create threads ({names(creators)})"
    what = "std::thread" if cxx_threads and not imports[program] & CREATES else "pthread_create"
    return HELPS, f"yes: it creates threads ({what}) and has no event loop"


def main():
    parser = command.Parser("check", __doc__)
    parser.add_argument("--program", help=command.argparse.SUPPRESS)  # the ELF program that NAME is; `weft` found it
    parser.add_argument("name", metavar="PROGRAM", help="a path, or a name to be found in PATH")
    options = parser.parse_args()
    if not options.program:
        parser.error("only one PROGRAM, and no options, are wanted")
    for tool, package in ("readelf", "binutils"), (LOADER, "libc6"):
        if not shutil.which(tool):
            command.fail(f"{tool} is missing, which 'weft check' needs; install the package {package}")
    status, sentence = verdict(os.path.realpath(options.program))
    print(sentence)
    if status == HELPS and not ctypes.CDLL(None).getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE:
        print(DEAR_HERE)
    return status


command.run(main)
