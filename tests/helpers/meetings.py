"""A window in a meeting without a browser: what it says to the server, and what it hears."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.helpers.entry import cookie_headers


class Window:
    """A window that has joined a meeting, or opened it."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line

    def say(self, **message: object) -> None:
        self._line.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        """Return the next message of the server."""
        return dict(json.loads(self._line.recv(timeout=10)))

    def hear_until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the first message that fulfils a condition."""
        while not condition(said := self.hear()):
            pass
        return said


@contextmanager
def join(url: str, number: int, code: str = "", peer: str = "") -> Iterator[Window]:
    """Join the meeting of a code, or open one, as the window of a number; `peer` is from where, as a proxy says it."""
    address = f"ws{url.removeprefix('http')}/meeting/line"
    headers = [*cookie_headers(url).items(), *([("X-Forwarded-For", peer)] if peer else [])]
    with connect(address, origin=Origin(url), additional_headers=headers, proxy=None) as line:
        window = Window(line)
        window.say(secret=f"{number:032x}", **({"code": code} if code else {"open": True}))
        yield window
