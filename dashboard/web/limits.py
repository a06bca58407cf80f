"""The limits of a process: the number of open connections, the time for a request to arrive, and the size of the log.

Connections are TCP connections. A connection is half open until a complete request has arrived; it then costs a
descriptor and 5 kB. If there are too many connections, the oldest half-open one is closed for a new one, so that other
clients still get answers. uvicorn's own limit_concurrency is not used, because it counts half-open connections and then
refuses clients that ask. Many connections may be half open: a client whose connection is closed early connects again at
once, and each new connection costs more than hundreds that wait until their half minute is over.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import Any, ClassVar, TextIO

import uvicorn
from starlette.requests import HTTPConnection
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from data.accounts.addresses import LOOPBACK

LARGEST_MESSAGE = 1024 * 1024  # bytes of a websocket message; files are sent by http
_SMALL = 500  # bytes of a message that is not compressed
_SECONDS = 30.0  # for the head of a request
_MOST, _MOST_IN_USE = 8000, 2000  # open connections; those on which a complete request has arrived
_MOST_OF_ONE = 256  # connections of one address
_FEWEST = 32  # connections
_AT_ONCE, _QUEUE = 8, 4096  # connections accepted in one turn of the loop; those that may wait in the kernel
_FILES, _OWN_FILES = 16_384, 300  # descriptors that the process asks for; those that are not for counted connections
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


def raise_file_limit() -> int:
    """Raise the number of files and connections that this process may open, and return it.

    It becomes `_FILES`, or the largest number that the system allows if that is smaller. A number that is larger
    already stays; if there is no limit, `_FILES` is returned. On Windows, and if the limit cannot be read, nothing is
    changed and 1024 is returned.
    """
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


class Connections:
    """The open connections of a process. `waiting` are the connections without a complete request, the oldest first.

    most, most_of_one : the largest number of connections, in all and from one subscriber. This machine itself is not
        limited, because it may be a proxy for everybody.
    most_in_use : the largest number of connections that are not waiting; None for `most`.
    has_proxy : whether a proxy may be on another machine of a private network, or in another container.
    """

    def __init__(self, most: int, most_of_one: int, *, most_in_use: int | None = None, has_proxy: bool = False) -> None:
        self.most, self.most_of_one, self.has_proxy = most, most_of_one, has_proxy
        self.most_in_use = most if most_in_use is None else most_in_use
        self.waiting: dict[H11Protocol, None] = {}
        self._open: dict[asyncio.Transport, str] = {}
        self._of_subscribers: Counter[str] = Counter()

    def admit(self, transport: asyncio.Transport, peer: str) -> bool:
        """Return whether a new connection may stay. An old connection may be closed for it."""
        subscriber = find_subscriber(peer)
        may_be_proxy = peer in LOOPBACK or (self.has_proxy and _is_private(peer))
        has_enough = self._of_subscribers[subscriber] >= self.most_of_one and not may_be_proxy
        if has_enough or self.count_in_use() >= self.most_in_use:
            return False
        if len(self._open) >= self.most:
            oldest = next(iter(self.waiting))
            del self.waiting[oldest]
            self.forget(oldest.transport)
            oldest.transport.abort()
        self._open[transport] = subscriber
        self._of_subscribers[subscriber] += 1
        return True

    def forget(self, transport: asyncio.Transport) -> None:
        """Remove a connection from the count, if it is counted."""
        subscriber = self._open.pop(transport, None)
        if subscriber is not None:
            self._of_subscribers[subscriber] -= 1
            if not self._of_subscribers[subscriber]:
                del self._of_subscribers[subscriber]

    def count_in_use(self) -> int:
        """Return the number of connections on which a complete request has arrived."""
        return len(self._open) - len(self.waiting)


def _is_private(peer: str) -> bool:
    try:
        return ip_address(peer).is_private
    except ValueError:
        return False


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol. Its connection is counted while it is open, and closed if a request arrives too slowly."""

    counted: ClassVar[Connections]  # `connections` is the name of uvicorn's own set
    seconds: ClassVar[float]
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count a new connection, or refuse it."""
        name = transport.get_extra_info("peername")
        if not self.counted.admit(transport, str(name[0]) if name else ""):
            transport.abort()
            return
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection that is closed."""
        self._stop_waiting()
        if self.transport is not None:  # else it was refused
            self.counted.forget(self.transport)
            super().connection_lost(exc)
            # By this, asyncio's transport refers to itself. Without it, memory is freed without a search for garbage.
            vars(self.transport).pop("_read_ready_cb", None)

    def data_received(self, data: bytes) -> None:
        """Read data, and stop waiting when the head of a request is complete."""
        super().data_received(data)
        self._stop_waiting_if_asked()

    def on_response_complete(self) -> None:
        """Wait for the next request of the connection."""
        if not self.transport.is_closing():
            self._wait()
        super().on_response_complete()
        self._stop_waiting_if_asked()

    def _wait(self) -> None:
        self._stop_waiting()
        self.counted.waiting[self] = None
        self._timer = self.loop.call_later(self.seconds, self.transport.abort)

    def _stop_waiting_if_asked(self) -> None:
        is_upgraded = self.transport.get_protocol() is not self
        if is_upgraded or (self.cycle is not None and not self.cycle.response_complete):
            self._stop_waiting()
            if self.counted.count_in_use() > self.counted.most_in_use:
                self.transport.abort()

    def _stop_waiting(self) -> None:
        self.counted.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Conversation(WebSocketsSansIOProtocol):
    """uvicorn's websocket protocol, with counted connections and with compression that takes half the time.

    Compression level 2 instead of 6 gives 5 % more bytes. Each connection needs 64 kB of memory; a larger window would
    help little. Small messages, two thirds of all messages of a page, are not compressed. This costs a kilobyte per
    page but saves time, because at each call of the compressor the threads that make pages go first.
    """

    counted: ClassVar[Connections]
    _will_write = False

    def __init__(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **more)
        bits, settings = 13, {"level": 2, "memLevel": 6}
        self.conn.available_extensions = [
            ServerPerMessageDeflateFactory(
                server_max_window_bits=bits, client_max_window_bits=bits, compress_settings=settings
            )
        ]

    async def send(self, message: Any) -> None:  # noqa: ANN401
        """Send a message together with the others of this turn of the event loop.

        One system call for all saves time, because at each system call all other threads go first.
        """
        await self.writable.wait()
        is_usual = message["type"] == "websocket.send" and message.get("bytes") is not None
        if not is_usual or self.conn.state is not State.OPEN or self.disconnected:
            await super().send(message)
            return
        data = message["bytes"]
        if len(data) < _SMALL:
            self.conn.writes.append(Frame(Opcode.BINARY, data).serialize(mask=False))
        else:
            self.conn.send_binary(data)
        if not self._will_write:
            self._will_write = True
            self.loop.call_soon(self._write)

    def _write(self) -> None:
        self._will_write = False
        self.transport.write(b"".join(self.conn.data_to_send()))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection that is closed."""
        self.counted.forget(self.transport)
        super().connection_lost(exc)


class PatientServer(uvicorn.Server):
    """uvicorn's server. `backlog` is the number of connections accepted in one turn; thousands more may wait.

    asyncio has one number for both. Hundreds of connections in one turn would delay the readers who are already there.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and let more connections wait in the kernel."""
        await super().startup(sockets)
        if self.started:
            for listener in (listener for server in self.servers for listener in server.sockets):
                with listener.dup() as same:
                    same.listen(_QUEUE)


def make_protocols(connections: Connections, seconds: float = _SECONDS) -> dict[str, Any]:
    """Return uvicorn's settings for counted connections; the head of a request must arrive within `seconds`."""
    counted = {"counted": connections}
    return {
        "http": type("CountingProtocol", (LimitedProtocol,), {**counted, "seconds": seconds}),
        "ws": type("CountingConversation", (Conversation,), counted),
    }


def make_limits(files: int, *, has_proxy: bool = False) -> dict[str, Any]:
    """Return uvicorn's settings for a process with many readers, from the number of files that it may open."""
    most = max(_FEWEST, min(_MOST, files - _OWN_FILES))
    connections = Connections(most, _MOST_OF_ONE, most_in_use=min(most, _MOST_IN_USE), has_proxy=has_proxy)
    return {**make_protocols(connections), "ws_max_size": LARGEST_MESSAGE, "backlog": _AT_ONCE}


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
