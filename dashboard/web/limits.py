"""The limits of a process: the size of a websocket message and of the log, and what counts as one network address.

Crowds of connections and slow requests are the work of the proxy in front: see deploy/nginx.conf.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import Any, TextIO

from starlette.requests import HTTPConnection

from data.accounts.addresses import LOOPBACK

LARGEST_MESSAGE = 1024 * 1024  # bytes of a websocket message; files are sent by http
_LOG_AT_ONCE, _LOG_EACH_SECOND = 200_000, 1_000  # characters


def find_address(connection: HTTPConnection) -> str:
    """Return the network address of the client, as the proxy reports it to uvicorn; empty for this machine itself.

    For IPv6 it is the network of a subscriber, because each has 2^64 addresses. An IPv4 address that is written in the
    form of IPv6 is returned as IPv4.
    """
    return find_subscriber(connection.client.host if connection.client else "")


def find_subscriber(host: str) -> str:
    """Return the IPv4 address or the IPv6 network (/64) of a host.

    Empty for this machine itself, and for a text that is not an address.
    """
    if host in LOOPBACK:
        return ""
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


class ShortLog:
    """A text stream with a limit of characters at once and per second. It reports how many characters it dropped."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock, self._lock = stream, clock, Lock()
        self._room, self._then, self._left_out = float(_LOG_AT_ONCE), clock(), 0

    def write(self, text: str) -> int:
        """Write a text to the stream, or drop it if that would exceed the limit; return its length in both cases."""
        with self._lock:
            now = self._clock()
            self._room = min(_LOG_AT_ONCE, self._room + (now - self._then) * _LOG_EACH_SECOND)
            self._then = now
            if len(text) > self._room:
                self._left_out += len(text)
                return len(text)
            if self._left_out and self._room > _LOG_AT_ONCE / 2:
                self._stream.write(
                    f"(Here {self._left_out:,} characters were left out, because there were too many.)\n"
                )
                self._left_out = 0
            self._room -= len(text)
            self._stream.write(text)
            return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Return any other attribute of the stream."""
        return getattr(self._stream, name)


def shorten_log() -> None:
    """Limit how much this process writes to standard error, even with very many clients."""
    whole = sys.stderr
    sys.stderr = ShortLog(whole)
    loggers = [
        logging.getLogger(),
        *(x for x in logging.root.manager.loggerDict.values() if isinstance(x, logging.Logger)),
    ]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if isinstance(handler, logging.StreamHandler) and handler.stream is whole:
            handler.setStream(sys.stderr)
