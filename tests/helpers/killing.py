"""Killing a process at a moment of its own progress.

The process writes one byte for each piece of work it has done, so a moment is a number of pieces and
the tests do not depend on how fast the machine is.
"""

import os
import subprocess
import sys
import time

from tests.helpers.paths import ROOT

MARK, COMMIT, END = b".", b"C", b"E"


def mark(byte=MARK):
    os.write(1, byte)


def watch(connection, steps):
    """Have a connection write a mark for so many steps of the database's machine."""
    connection.set_progress_handler(lambda: mark() and None, steps)
    return connection


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        bufsize=0,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def run_through(*arguments):
    """Let a process run to its end; give how many marks it made."""
    said, _ = start(*arguments).communicate()
    assert said.endswith(END), "the process must end well when nobody kills it"
    return said.count(MARK)


def kill(*arguments, marks=None, delay=0.0):
    """Kill a process after so many marks (None: when it begins to commit) and a delay in seconds.

    Tells whether it had reached its end.
    """
    process = start(*arguments)
    said = b""
    while said.count(MARK) < marks if marks is not None else COMMIT not in said:
        byte = process.stdout.read(1)
        assert byte, "the process ended before its moment came"
        said += byte
    time.sleep(delay)
    process.kill()
    rest, _ = process.communicate()
    return (said + rest).endswith(END)
