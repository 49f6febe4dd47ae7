# SPDX-License-Identifier: MIT
"""What the subcommands of `weft` that are written in Python share: one line and status 2 for every error."""
import argparse
import os
import signal
import sys

STATUS_BAD = 2


def fail(line):
    sys.exit(print(f"weft: {line}", file=sys.stderr) or STATUS_BAD)


class Parser(argparse.ArgumentParser):
    """For `weft NAME`; the module's documentation is the help."""

    def __init__(self, name, documentation):
        heading, _, rest = documentation.partition("\n\n")
        super().__init__(prog=f"weft {name}", description=heading, epilog=rest, add_help=True,
                         formatter_class=argparse.RawDescriptionHelpFormatter)

    def _print_message(self, message, file=None):
        (file or sys.stdout).write(message)  # argparse passes over errors of this

    def error(self, message):
        fail(f"{message}; see '{self.prog} --help'")


def run(main):
    """Calls main(), whose result is the exit status. A reader that has seen enough ends us like any other program."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        try:
            status = main()
        except SystemExit as end:  # --help
            status = end.code
        sys.stdout.flush()
    except OSError as error:
        if isinstance(error.filename, str):
            fail(f"{error.filename}: {error.strerror}")
        print(f"weft: cannot write: {error.strerror}", file=sys.stderr)
        os._exit(1)  # as the other commands; the interpreter would try again
    sys.exit(status)
