"""Take part in a meeting without a browser: send messages to the server, and receive its messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.helpers.entry import cookie_headers


class Window:
    """A connection that has joined or opened a meeting, like a window of a browser."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line

    def say(self, **message: object) -> None:
        self._line.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        """Return the next message of the server; raise TimeoutError after ten seconds without one."""
        return dict(json.loads(self._line.recv(timeout=10)))

    def hear_until(self, condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the next message that fulfils a condition; raise TimeoutError after ten seconds without a message."""
        while not condition(message := self.hear()):
            pass
        return message


@contextmanager
def join(url: str, number: int, code: str = "", peer: str = "") -> Iterator[Window]:
    """Yield a window that joins the meeting with this code or, without a code, opens one.

    number : makes the secret of the window. peer : the address of the reader that a proxy would report.
    """
    address = f"ws{url.removeprefix('http')}/meeting/line"
    headers = [*cookie_headers(url).items(), *([("X-Forwarded-For", peer)] if peer else [])]
    with connect(address, origin=Origin(url), additional_headers=headers, proxy=None) as line:
        window = Window(line)
        window.say(secret=f"{number:032x}", **({"code": code} if code else {"open": True}))
        yield window
