"""Run an action in a separate process, and kill it at a given moment."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.accounts import database
from data.errors import TactError
from data.restricted.vault import sqlcipher


@dataclass(frozen=True)
class Moment:
    """When a process is killed: `delay` seconds after a step, where step 0 is the start; (0, 0.0) is never."""

    step: int
    delay: float


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (None: killed), how many steps and seconds it ran, and what it printed."""

    code: int | None
    steps: int
    seconds: float
    out: str


def run_child(world: Path, action: Callable[[], int], moment: Moment | None) -> Ended:
    """Run an action in a separate process, kill it at a moment (None: never), and return how it ended.

    The exit code is that of the action; 2 if it raises TactError or OSError, and 1 for any other error.
    """
    out, (reading, writing) = Path(tempfile.gettempdir(), f"killed-{os.getpid()}.txt"), os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            os.close(reading)
            with out.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
            sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
            _Killer(world, moment, writing).begin()
            try:
                code = action()
            except (TactError, OSError) as error:
                code = 2
                print(error)
            sys.stdout.flush()
        os._exit(code)
    os.close(writing)
    steps = 0
    while part := os.read(reading, 2**16):
        steps += len(part)
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    text = out.read_text(encoding="utf-8", errors="replace")
    out.unlink()
    return Ended(None if killed else os.waitstatus_to_exitcode(status), steps, time.monotonic() - began, text)


class _Killer:
    """Reports each step of this process to the parent process, and kills this process at the given moment."""

    def __init__(self, world: Path, moment: Moment | None, writing: int) -> None:
        self._inside, self._moment, self._writing = str(world), moment or Moment(0, 0.0), writing
        self._steps, self._due = 0, threading.Event()

    def begin(self) -> None:
        """Count and report steps from now on, and kill the process at its moment."""
        sys.setswitchinterval(1e-4)
        if self._moment.delay:
            threading.Thread(target=self._kill_later, daemon=True).start()
            if not self._moment.step:
                self._due.set()
        for name in ("connect", "connect_with_passphrase"):
            opened = getattr(sqlcipher, name)
            setattr(sqlcipher, name, lambda *a, opened=opened, **k: self.watch(opened(*a, **k)))
        database.sqlite3 = _Watched(self)  # type: ignore[assignment]
        sys.addaudithook(self._hear)

    def watch(self, connection: Any) -> Any:  # noqa: ANN401 (sqlite3's or sqlcipher3's)
        """Count each SQL statement of a connection, and every 2,000 instructions of SQLite, as a step."""
        connection.set_trace_callback(self._step)
        connection.set_progress_handler(self._step, 2_000)
        return connection

    def _kill_later(self) -> None:
        self._due.wait()
        time.sleep(self._moment.delay)
        os.kill(os.getpid(), signal.SIGKILL)

    def _step(self, *_: object) -> None:
        self._steps += 1
        os.write(self._writing, b".")
        if self._steps == self._moment.step:
            if not self._moment.delay:
                os.kill(os.getpid(), signal.SIGKILL)
            self._due.set()

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event.partition(".")[0] in ("open", "os", "shutil") and any(self._inside in str(a) for a in arguments):
            self._step()


class _Watched:
    """A substitute for the module sqlite3 that counts the steps of its connections."""

    def __init__(self, killer: _Killer) -> None:
        self._killer = killer

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (a module)
        return getattr(sqlite3, name)

    def connect(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 (as sqlite3 has it)
        return self._killer.watch(sqlite3.connect(*arguments, **more))
