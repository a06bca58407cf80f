"""What one process holds out: how many lines are open, how long a request may take to come, and how long its log is.

A line is a TCP connection. Lines on which no whole request has come (half open) cost a descriptor each. When there are
too many lines, the oldest half-open one is closed for a new one, so that those who ask get an answer meanwhile. That is
also why uvicorn's own limit_concurrency is not used: it counts half-open lines, and refuses those who ask.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, ClassVar, TextIO

from uvicorn.protocols.http.h11_impl import H11Protocol

from dashboard.site import LOOPBACK

LARGEST_MESSAGE = 1024 * 1024  # bytes of a websocket message; files are sent by http
_SECONDS = 10.0  # for the head of a request
_MOST = 2000  # lines
_MOST_OF_ONE = 256  # lines of one address; that of this machine is a proxy with the lines of everybody
_FILES, _OWN_FILES, _FEWEST = 16_384, 300, 32  # descriptors: wished for, those that are not for counted lines; lines
_LOG_AT_ONCE, _LOG_EACH_SECOND = 200_000, 1_000  # letters


def raise_file_limit() -> int:
    """Raise the number of files and lines that this process may open, as far as is allowed; return it."""
    try:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY:
            return _FILES
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    except (ImportError, OSError):  # Windows, or a service that may not ask
        return 1024


class Lines:
    """The open lines of a process. `waiting` are those on which no whole request has come, oldest first."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.most, self.most_of_one = most, most_of_one
        self.waiting: dict[H11Protocol, None] = {}
        self._open: dict[asyncio.Transport, str] = {}

    def admit(self, transport: asyncio.Transport, address: str) -> bool:
        """Return whether a new line may stay; for it, an old one may have been closed."""
        self._open = {line: theirs for line, theirs in self._open.items() if not line.is_closing()}
        if address not in LOOPBACK and sum(theirs == address for theirs in self._open.values()) >= self.most_of_one:
            return False
        if len(self._open) >= self.most:
            oldest = next(iter(self.waiting), None)
            if oldest is None:
                return False
            del self.waiting[oldest]
            oldest.transport.abort()
        self._open[transport] = address
        return True


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol, whose line is counted while it is open and closed where a request takes too long to come."""

    lines: ClassVar[Lines]
    seconds: ClassVar[float]
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count a new line, or refuse it."""
        peer = transport.get_extra_info("peername")
        if not self.lines.admit(transport, str(peer[0]) if peer else ""):
            transport.abort()
            return
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a line that is closed."""
        self._stop_waiting()
        if self.transport is not None:  # else it was refused
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read, and stop waiting once the head of a request is whole."""
        super().data_received(data)
        self._stop_waiting_if_asked()

    def on_response_complete(self) -> None:
        """Wait for the next request of the line."""
        if not self.transport.is_closing():
            self._wait()
        super().on_response_complete()
        self._stop_waiting_if_asked()

    def _wait(self) -> None:
        self._stop_waiting()
        self.lines.waiting[self] = None
        self._timer = self.loop.call_later(self.seconds, self._give_up)

    def _stop_waiting_if_asked(self) -> None:
        is_upgraded = self.transport.get_protocol() is not self
        if is_upgraded or (self.cycle is not None and not self.cycle.response_complete):
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        self.lines.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self.transport.abort()


def make_protocol(lines: Lines, seconds: float = _SECONDS) -> type[LimitedProtocol]:
    """Return a protocol for the lines of one process, with the seconds in which the head of a request must come."""
    return type("LinesProtocol", (LimitedProtocol,), {"lines": lines, "seconds": seconds})


def list_limits() -> dict[str, Any]:
    """Return uvicorn's settings for a process that many may ask."""
    files = raise_file_limit()
    most = max(_FEWEST, min(_MOST, files - _OWN_FILES))
    # So many lines are accepted in one step, and those of up to three steps are open before they are counted.
    at_once = min(1024, (files - most) // 5)
    protocol = make_protocol(Lines(most, _MOST_OF_ONE))
    return {"http": protocol, "ws_max_size": LARGEST_MESSAGE, "backlog": at_once}


class ShortLog:
    """A text stream that passes on so many letters at once and so many each second, and says how many it left out."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._lock = stream, clock, Lock()
        self._room, self._then, self._left_out = float(_LOG_AT_ONCE), clock(), 0

    def write(self, text: str) -> int:
        """Pass a text on, or leave it out where there is no room; return its length."""
        with self._lock:
            now = self._clock()
            self._room = min(_LOG_AT_ONCE, self._room + (now - self._then) * _LOG_EACH_SECOND)
            self._then = now
            if len(text) > self._room:
                self._left_out += len(text)
                return len(text)
            if self._left_out and self._room > _LOG_AT_ONCE / 2:
                self._stream.write(f"(Here {self._left_out:,} letters were left out, because there were too many.)\n")
                self._left_out = 0
            self._room -= len(text)
            self._stream.write(text)
            return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Return anything else of the stream itself."""
        return getattr(self._stream, name)


def shorten_log() -> None:
    """Limit how much this process writes to standard error, however many clients ask."""
    whole = sys.stderr
    sys.stderr = ShortLog(whole)
    loggers = [
        logging.getLogger(),
        *(x for x in logging.root.manager.loggerDict.values() if isinstance(x, logging.Logger)),
    ]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if isinstance(handler, logging.StreamHandler) and handler.stream is whole:
            handler.setStream(sys.stderr)
