"""Start processes by forking one that has already loaded the product, so that they need no time to load it.

Each started process has its own memory, and can be killed like any other process.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import traceback
from functools import cache
from importlib import import_module
from typing import IO, Any

from tests.helpers.paths import ROOT

_MOST = 2**17  # bytes of a message
# Modules that take long to load, and that the programs of the tests need.
_MODULES = (
    "dashboard.commands.import_", "dashboard.commands.release", "dashboard.cli", "data.restricted.backup",
    "data.restricted.publishing", "data.restricted.vault", "tests.helpers.quick",
)  # fmt: skip


class Started:
    """A process that was started: its id, its standard output, and its exit code (None until this is asked for)."""

    def __init__(self, pid: int, stdout: IO[bytes]) -> None:
        self.pid, self.stdout, self.returncode = pid, stdout, None

    def poll(self) -> int | None:
        return self._ask_end(patient=False)

    def wait(self) -> int:
        code = self._ask_end(patient=True)
        assert code is not None
        return code

    def kill(self) -> None:
        # Nobody has asked for its exit code yet, so its id cannot belong to another process.
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self) -> tuple[bytes, None]:
        with self.stdout:
            return self.stdout.read(), self.wait() and None

    def _ask_end(self, *, patient: bool) -> int | None:
        if self.returncode is None:
            self.returncode = _ask({"pid": self.pid, "patient": patient})
        return self.returncode


def start(*arguments: object) -> Started:
    """Start a process as `python ARGUMENTS` would (-m, -c or a file); its standard output is a pipe."""
    read, write = os.pipe()
    try:
        pid = _ask({"words": [*map(str, arguments)], "environment": dict(os.environ)}, write)
    finally:
        os.close(write)
    return Started(pid, os.fdopen(read, "rb", buffering=0))


def _ask(order: dict[str, Any], *descriptors: int) -> Any:
    channel, _ = _prepare()
    socket.send_fds(channel, [json.dumps(order).encode()], descriptors)
    return json.loads(channel.recv(_MOST))


@cache
def _prepare() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start the process that forks all others; return the socket to it, and the process.

    It is started once, and ends when this process does.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.helpers.prepared", str(theirs.fileno())]
    # Threads of the libraries would be missing in the forked processes.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
    theirs.close()
    return ours, process


def _serve(channel: socket.socket) -> None:
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, _MOST, 1)
        if not message:
            return
        order, answer = json.loads(message), None
        if "pid" in order:
            pid, status = os.waitpid(order["pid"], 0 if order["patient"] else os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                channel.close()
                os._exit(_run(order["words"], order["environment"], descriptors[0]))
            os.close(descriptors[0])
        channel.send(json.dumps(answer).encode())


def _run(words: list[str], environment: dict[str, str], output: int) -> int:
    """Run a program in this process, and return its exit code."""
    os.dup2(output, 1)
    os.close(output)
    os.environ.clear()
    os.environ.update(environment)
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            sys.argv = ["-c", *words[2:]]
            exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        return 1
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    for module in _MODULES:
        import_module(module)
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
