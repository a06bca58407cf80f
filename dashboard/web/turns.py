"""Pages are made one after the other: side by side, each would take as long as all of them together.

Python runs one thread at a time. Ten readers who ask at once, for pages of 15 ms each, would all wait 150 ms; one after
the other they wait 15, 30 and so on up to 150. A page that takes long, because it computes a plan or reads a release
for the first time, does not hold up the others: its turn ends, and it goes on beside them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

_LONGEST = 0.1  # seconds


class Turns:
    """Whose turn it is, for at most `longest` seconds."""

    def __init__(self, longest: float = _LONGEST) -> None:
        self._longest = longest
        self._changed = Condition()
        self._holder: object = None
        self._end = 0.0  # of the turn, by the monotonic clock

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait until the turns of those who came before have ended; the block is one's own turn."""
        holder = object()
        with self._changed:
            while (rest := self._end - time.monotonic()) > 0:
                self._changed.wait(rest)
            self._holder, self._end = holder, time.monotonic() + self._longest
        try:
            yield
        finally:
            with self._changed:
                if self._holder is holder:
                    self._holder, self._end = None, 0.0
                    self._changed.notify()
