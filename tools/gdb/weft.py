# SPDX-License-Identifier: MIT
"""Commands for gdb that show the coroutines of a program under weft, in a live process and in a core file.

    weft threads              a line for each: id, name, state, what it waits for, the program's function on top
    weft summary              how many there are of each kind
    weft backtrace ID|all     the stack of one, or of all
    weft thread ID            makes its stack the one that backtrace, up, frame and info locals show
    weft thread off           back to the kernel thread

gdb knows kernel threads. A coroutine that one of them runs is seen as that thread; the stack of any other lies in
memory, where its last switch has left it. Registers cannot be set in a core file, and a live process is better left
alone, so nothing is changed: an unwinder claims the innermost frame of a kernel thread that has stopped anyway, and says
that its caller is the coroutine's switch. From there on gdb goes by weft's frame descriptions like by all others. That
innermost frame is the kernel thread's and is not shown.

Everything is found by the names in the debug information of libweft.so; no offset stands here.
"""
import collections
import os
import struct
import time

import gdb
from gdb.unwinder import Unwinder, register_unwinder

SECOND = 1000000000
WATCHERS_SHOWN = 3
FRAMES_SHOWN = 100
NOT_PROGRAM = "libc.so", "libc-", "libpthread", "ld-", "[vdso]", "linux-vdso", "system-supplied"


class Problem(gdb.GdbError):
    """One line for the user."""


def library_symbols():
    """The static block of core/coroutine.c, whose symbols may have the names of others in the program."""
    symbol = gdb.lookup_global_symbol("weft_coroutine_find")
    if symbol:
        return symbol.symtab.static_block()
    try:
        gdb.parse_and_eval("(long)&weft_coroutine_create")
    except gdb.error:
        raise Problem("weft is not in this process: it has no libweft.so (or is not started yet)") from None
    raise Problem("this libweft.so has no debug information, so its coroutines cannot be read; build it with -g")


def symbol_value(name, block):
    symbol = gdb.lookup_symbol(name, block)[0]
    if symbol is None:
        raise Problem(f"this libweft.so is of another version: it has no '{name}'")
    return symbol.value()


def thread_registers(first_id):
    """What the kernel threads run: [(thread, FS base)]. In a core file gdb shows more: libthread_db tells it of glibc's
    list of threads, in which the coroutines stand with their ids, from `first_id` on, that no kernel thread has."""
    chosen = gdb.selected_thread()
    if chosen is None:
        raise Problem("there is no process and no core file; attach to one first")
    found = []
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] >= first_id:
            continue
        try:
            thread.switch()
            frame = gdb.newest_frame()
            frame.read_register("rip").format_string()
            found.append((thread, int(frame.read_register("fs_base"))))
        except (gdb.error, RuntimeError):
            continue
    chosen.switch()
    return found


FrameId = collections.namedtuple("FrameId", "sp pc")  # as gdb.unwinder wants it


class Parked(Unwinder):
    """Continues a kernel thread's innermost frame in a coroutine that does not run."""

    def __init__(self):
        super().__init__("weft")
        self.enabled = False
        self.thread = None  # gdb's (pid, lwp, tid)
        self.inner = None   # sp and pc of the innermost frame
        self.rsp = None     # where the switch has left the coroutine's registers

    def __call__(self, pending):
        if gdb.selected_thread().ptid != self.thread:
            return None
        if (int(pending.read_register("rsp")), int(pending.read_register("rip"))) != self.inner:
            return None
        word = gdb.lookup_type("unsigned long")
        resume = int(gdb.Value(self.rsp).cast(word.pointer()).dereference())
        # gdb takes what a frame was called from for a return address and looks before it. This is none.
        registers = {"rip": resume + 1, "rsp": self.rsp + word.sizeof}
        # Its place is given as below the coroutine's frames, where gdb expects an inner frame.
        info = pending.create_unwind_info(FrameId(gdb.Value(self.rsp - word.sizeof), pending.read_register("rip")))
        for name, value in registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return info

    def own_frames(self):
        """How many frames from the innermost on are the kernel thread's: one, and the functions inlined into it."""
        frame = gdb.newest_frame() if self.enabled else None
        while frame and int(frame.read_register("rsp")) == self.inner[0]:
            frame = frame.older()
        return frame.level() if frame else 0

    def show(self, rsp):
        """What was saved at `rsp` continues the selected thread; None: nothing does."""
        self.enabled = False
        gdb.invalidate_cached_frames()
        if rsp is None:
            return
        frame = gdb.newest_frame()
        self.thread = gdb.selected_thread().ptid
        self.inner = int(frame.read_register("rsp")), int(frame.read_register("rip"))
        self.rsp = rsp
        self.enabled = True
        gdb.invalidate_cached_frames()


parked = Parked()
register_unwinder(None, parked, replace=True)


class HideInner:
    """A frame filter: while a coroutine is shown, the kernel thread's own frames are not."""

    name, priority, enabled = "weft", 1000, True

    def filter(self, frames):
        hidden = parked.own_frames()
        return (frame for frame in frames if frame.inferior_frame().level() >= hidden)


gdb.frame_filters[HideInner.name] = HideInner()


class Selection:
    """Restores what the user had selected. Within it any coroutine's stack can be looked at."""

    def __enter__(self):
        self.thread = gdb.selected_thread()
        self.rsp = parked.rsp if parked.enabled else None
        parked.show(None)
        self.frame = gdb.selected_frame() if self.rsp is None else None
        return self

    def __exit__(self, *exception):
        parked.show(None)
        self.thread.switch()
        if self.rsp is not None:
            parked.show(self.rsp)
        elif self.frame and self.frame.is_valid():
            self.frame.select()


class Machine:
    """weft's state, as it is while the process stands still."""

    def __init__(self):
        block = library_symbols()
        self.main = symbol_value("main_coroutine", block)
        if int(self.main) == 0:
            raise Problem("weft is not active here: the program has created no thread yet, or weft left it native")
        self.threads = thread_registers(int(symbol_value("FIRST_ID", block)))
        if not self.threads:
            raise Problem("gdb has no registers of any thread")
        self.running_on = {base: thread for thread, base in self.threads}
        self.reasons = symbol_value("weft_reason_names", block)
        self.library = gdb.solib_name(int(gdb.parse_and_eval("(long)&weft_coroutine_create")))
        self.traced = int(symbol_value("weft_trace_mask", block)) != 0
        self.coroutines = [Coroutine(self, value) for value in self.read_table(block)]
        self.joinable = {coroutine.clear_child_tid: coroutine.tid for coroutine in self.coroutines}
        self.pid = gdb.selected_inferior().pid
        connection = gdb.selected_inferior().connection
        self.live = connection is not None and connection.type == "native"  # not a core file's, nor on another machine
        self.now = time.monotonic_ns() if self.live else None

    @staticmethod
    def read_table(block):
        table, used = symbol_value("table", block), int(symbol_value("indices_used", block))
        chunk, line = int(symbol_value("CHUNK", block)), int(symbol_value("LINE", block))
        pointer = gdb.lookup_type("struct coroutine", block).pointer()
        for first in range(0, used, chunk):
            start = int(table[first // chunk])
            memory = gdb.selected_inferior().read_memory(start, chunk * pointer.sizeof)
            addresses = struct.unpack(f"<{chunk}Q", memory)
            for index in range(min(chunk, used - first)):  # the place: `slot` in core/coroutine.c
                address = addresses[index - index % line ** 2 + index % line * line + index // line % line]
                if address:
                    yield gdb.Value(address).cast(pointer).dereference()

    def find(self, text):
        for coroutine in self.coroutines:
            if text == str(coroutine.tid):
                return coroutine
        raise Problem(f"no coroutine '{text}'; 'weft threads' lists them")


class Coroutine:
    def __init__(self, machine, value):
        self.machine, self.value = machine, value
        self.tid = int(value["tid"])
        self.clear_child_tid = int(value["clear_child_tid"])
        self.thread = machine.running_on.get(int(value["context"]["fs_base"]))

    @property
    def name(self):
        if self.value["named"]:
            return self.value["name"]["text"].string(errors="replace")
        return "main" if self.tid == int(self.machine.main["tid"]) else ""

    @property
    def state(self):
        if self.thread:
            carrier = self.value["carrier"]
            held = carrier["processor"] if int(carrier) else 0
            waits = int(carrier) and (int(carrier["in_kernel"]) or (int(held) and int(held["lone_waits"])))
            where = "kernel" if waits else "running"
            return f"{where}, LWP {self.thread.ptid[1]}"
        return str(self.value["state"]).removeprefix("WEFT_").lower()

    @property
    def is_parked(self):
        return not self.thread and str(self.value["state"]) == "WEFT_PARKED"

    @property
    def reason(self):
        return "" if self.thread else self.machine.reasons[int(self.value["reason"])].string()

    @property
    def processor(self):
        value = self.value
        processor = value["carrier"]["processor"] if self.thread else value["home"] if self.is_parked else None
        return str(int(processor["index"])) if processor is not None and int(processor) else ""

    def waits_for(self):
        if not self.is_parked:
            return ""
        if int(self.value["watchers"]):
            return self.descriptors()
        address = int(self.value["futex"]["address"])
        if self.reason == "join" and address in self.machine.joinable:
            return f"thread {self.machine.joinable[address]}"
        if self.reason in ("join", "futex") and address:
            symbol = gdb.execute(f"info symbol {address:#x}", to_string=True)
            return f"{address:#x}" + ("" if symbol.startswith("No symbol") else f" <{symbol.split(' in section')[0]}>")
        return ""

    def descriptors(self):
        watchers, count = self.value["watchers"], int(self.value["watcher_count"])
        texts = []
        for place in range(min(count, WATCHERS_SHOWN)):
            fd = int(watchers[place]["fd"])
            texts.append(f"fd {fd}{self.target_of(fd) if count == 1 else ''}")
        return ", ".join(texts) + (f" and {count - WATCHERS_SHOWN} more" if count > WATCHERS_SHOWN else "")

    def target_of(self, fd):
        if not self.machine.live:
            return ""
        try:
            return " " + os.readlink(f"/proc/{self.machine.pid}/fd/{fd}")
        except OSError:
            return ""

    def times(self):
        """How long it has been parked, which only a traced process knows, and how long it goes on waiting at most."""
        if not self.is_parked or self.machine.now is None:
            return ""
        texts = []
        if self.machine.traced and int(self.value["parked_at"]):
            texts.append(f"since {seconds(self.machine.now - int(self.value['parked_at']))}")
        if int(self.value["timer"]["place"]):
            texts.append(f"for {seconds(max(0, int(self.value['timer']['deadline']) - self.machine.now))} more")
        return ", ".join(texts)

    def show(self):
        """Makes its stack the selected one. Within a Selection, or for good."""
        parked.show(None)
        (self.thread or self.machine.threads[0][0]).switch()
        parked.show(self.saved_rsp())

    def saved_rsp(self):
        """Where the switch has stored its registers; None: it runs and has them. In the middle of a switch, where no
        frame description leads to either stack, both coroutines are stored."""
        if not self.thread:
            return int(self.value["context"]["rsp"])
        frame = gdb.newest_frame()
        while frame and gdb.solib_name(frame.pc()) == self.machine.library:
            if frame.name() == "weft_switch_load":
                at_first = frame.pc() == int(gdb.parse_and_eval("(long)&weft_switch_load"))  # which stores rsp
                return int(frame.read_register("rsp") if at_first else self.value["context"]["rsp"])
            frame = frame.older()
        return None

    def frames(self):
        self.show()
        hidden = parked.own_frames()
        frame = gdb.newest_frame()
        while frame:
            if frame.level() >= hidden:
                yield frame
            frame = frame.older()

    def program_frame(self):
        """The innermost frame of the program or of a library that is neither libc nor weft; None: there is none."""
        for frame in self.frames():
            library = gdb.solib_name(frame.pc()) or ""
            if frame.type() != gdb.SIGTRAMP_FRAME and library != self.machine.library and \
                    not os.path.basename(library).startswith(NOT_PROGRAM):
                return frame
        return None

    def function(self):
        frame = self.program_frame()
        if frame is None:
            return "(not begun)" if int(self.value["switches"]) == 0 else ""
        return frame.name() or os.path.basename(gdb.solib_name(frame.pc()) or "") or f"{frame.pc():#x}"

    def backtrace(self):
        """gdb's own text from the first frame on that is not weft's."""
        skipped = 0
        for frame in self.frames():
            if gdb.solib_name(frame.pc()) != self.machine.library:
                break
            skipped += 1
        lines = gdb.execute(f"backtrace {skipped + FRAMES_SHOWN}", to_string=True).splitlines()
        return lines[skipped:]


def seconds(nanoseconds):
    for unit, size in ("s", SECOND), ("ms", SECOND // 1000):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.1f} {unit}"
    return f"{nanoseconds // 1000} us"


def print_table(head, rows):
    """Aligned, all but the last column."""
    rows = [head, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        gdb.write("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() + "\n")


class Weft(gdb.Command):
    """Coroutines of a program under weft: weft threads, weft summary, weft backtrace ID|all, weft thread ID|off."""

    def __init__(self):
        super().__init__("weft", gdb.COMMAND_STACK, prefix=True)


class Threads(gdb.Command):
    """All coroutines: id, name, state, why and for what it is parked, for how long, the program's function on top.

For how long it has been parked is known when the process is traced (WEFT_TRACE). LWP is the kernel thread that runs it,
which gdb's own commands show."""

    HEAD = "ID", "NAME", "STATE", "REASON", "WAITS FOR", "TIME", "PROCESSOR", "FUNCTION"

    def __init__(self):
        super().__init__("weft threads", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        no_arguments(argument)
        machine = Machine()
        with Selection():
            print_table(self.HEAD, [(str(coroutine.tid), coroutine.name, coroutine.state, coroutine.reason,
                                     coroutine.waits_for(), coroutine.times(), coroutine.processor, coroutine.function())
                                    for coroutine in machine.coroutines])


class Summary(gdb.Command):
    """How many coroutines are in each state, parked for each reason, in each function of the program."""

    def __init__(self):
        super().__init__("weft summary", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        no_arguments(argument)
        machine = Machine()
        with Selection():
            counts = collections.Counter((coroutine.state.split(",")[0], coroutine.reason, coroutine.function())
                                         for coroutine in machine.coroutines)
        rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        print_table(("COUNT", "STATE", "REASON", "FUNCTION"), [(str(count), *kind) for kind, count in rows])


class Backtrace(gdb.Command):
    """The stack of a coroutine, without weft's own frames: weft backtrace ID, or weft backtrace all."""

    def __init__(self):
        super().__init__("weft backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        machine = Machine()
        wanted = argument.strip()
        chosen = machine.coroutines if wanted == "all" else [machine.find(wanted)]
        with Selection():
            for place, coroutine in enumerate(chosen):
                facts = [coroutine.name, coroutine.state, coroutine.reason, coroutine.waits_for(), coroutine.times()]
                lines = coroutine.backtrace()
                gdb.write(("\n" if place else "") + f"Coroutine {coroutine.tid}: {', '.join(filter(None, facts))}\n")
                gdb.write("\n".join(lines) + "\n")


class Thread(gdb.Command):
    """Makes a coroutine's stack the one that gdb's commands show: weft thread ID. Back: weft thread off.

Frames and local variables are its own; so are the registers that a function preserves. Thread-local variables are those
of the kernel thread. Before the process goes on, gdb goes back to the kernel thread by itself."""

    def __init__(self):
        super().__init__("weft thread", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if argument.strip() == "off":
            parked.show(None)
            return
        coroutine = Machine().find(argument.strip())
        coroutine.show()
        if coroutine.thread:
            gdb.write(f"Coroutine {coroutine.tid} runs on LWP {coroutine.thread.ptid[1]}, which is selected now.\n")
            return
        frame = coroutine.program_frame() or next(coroutine.frames(), None)
        if frame is None:
            raise Problem(f"coroutine {coroutine.tid} has no frames yet")
        frame.select()
        gdb.execute("frame")


def no_arguments(argument):
    if argument.strip():
        raise Problem(f"no argument is wanted here: '{argument.strip()}'")


def process_goes_on(event):
    if parked.enabled:
        parked.show(None)


gdb.events.cont.connect(process_goes_on)
for command in Weft, Threads, Summary, Backtrace, Thread:
    command()
