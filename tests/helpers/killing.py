"""Kill a process at a moment of its own progress.

The process writes one byte (a mark) for each piece of work done, so a moment is a number of marks and
the tests do not depend on how fast the machine is.
"""

import os
import time

from tests.helpers.prepared import start

MARK, COMMIT, END = b".", b"C", b"E"


def mark(byte=MARK):
    os.write(1, byte)


def watch(connection, steps):
    """Make a connection write a mark after every `steps` steps of the database engine."""
    connection.set_progress_handler(lambda: mark() and None, steps)
    return connection


def run_through(*arguments):
    """Run a process to its end; return the number of its marks. Raises AssertionError if it does not end well."""
    output, _ = start(*arguments).communicate()
    assert output.endswith(END), "the process must end well when nobody kills it"
    return output.count(MARK)


def kill(*arguments, marks=None, delay=0.0):
    """Kill a process after a number of marks (None: when it begins to commit) and a delay in seconds.

    Return whether the process had already ended.
    """
    process = start(*arguments)
    output = b""
    while output.count(MARK) < marks if marks is not None else COMMIT not in output:
        byte = process.stdout.read(1)
        assert byte, "the process ended before its moment came"
        output += byte
    time.sleep(delay)
    process.kill()
    rest, _ = process.communicate()
    return (output + rest).endswith(END)
