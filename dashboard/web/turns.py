"""Turns: pages are made one after the other. At the same time, each would take as long as all of them together.

Python runs one thread at a time. If ten readers ask at once for pages of 15 ms each, they would all wait 150 ms; one
after the other, they wait 15, 30 and so on up to 150. A page that takes long, because it computes a plan or reads a
release for the first time, does not delay the others for long: its turn ends, and it continues beside them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock

_LONGEST = 0.1  # seconds


class Turns:
    """The order of turns, each of at most `longest` seconds. Who asks first is first, even if the holder asks again."""

    def __init__(self, longest: float = _LONGEST) -> None:
        self._longest = longest
        self._lock = Lock()
        self._waiting: deque[Condition] = deque()
        self._holder: object = None
        self._end = 0.0  # of the turn, by the monotonic clock

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait until all earlier turns have ended; then the block is the caller's turn.

        If the block takes longer than a turn, it goes on beside the next turns.
        """
        ticket = Condition(self._lock)
        with self._lock:
            self._waiting.append(ticket)
            try:
                self._wait(ticket)
            finally:
                self._waiting.remove(ticket)
                self._wake_next()
            self._holder, self._end = ticket, time.monotonic() + self._longest
        try:
            yield
        finally:
            with self._lock:
                if self._holder is ticket:
                    self._holder, self._end = None, 0.0
                    self._wake_next()

    def _wait(self, ticket: Condition) -> None:
        """Wait until no earlier ticket is left. Only the next ticket watches for the end of the present turn."""
        while True:
            rest = self._end - time.monotonic()
            is_next = self._waiting[0] is ticket
            if is_next and rest <= 0:
                return
            ticket.wait(rest if is_next else None)

    def _wake_next(self) -> None:
        if self._waiting:
            self._waiting[0].notify()
