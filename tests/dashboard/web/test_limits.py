"""What one process holds out: half-open connections, slow heads, large messages, and a log that attacks do not fill."""

import asyncio
import gc
import io
import logging
import resource
import socket
import sys
import threading
import time
import urllib.request
import weakref
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard import server
from dashboard.web import limits
from dashboard.web.limits import (
    LARGEST_MESSAGE,
    Connections,
    PatientServer,
    ShortLog,
    find_address,
    make_limits,
    make_protocols,
    shorten_log,
)
from tests.helpers.browser import free_port

HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "


async def echo(websocket):
    await websocket.accept()
    while True:
        await websocket.send_text(str(len(await websocket.receive_text())))


@contextmanager
def served(most, most_of_one=10_000, most_in_use=None, seconds=60.0, at_once=100, routes=()):
    """Serve a small application with limits in a thread; yield its port and its connections."""
    connections, port = Connections(most, most_of_one, most_in_use=most_in_use), free_port()
    routes = [Route("/", lambda _: PlainTextResponse("well")), WebSocketRoute("/echo", echo), *routes]
    settings = {**make_protocols(connections, seconds), "ws_max_size": LARGEST_MESSAGE, "backlog": at_once}
    server = PatientServer(uvicorn.Config(Starlette(routes=routes), port=port, **settings, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port, connections
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


def open_half(stack, port):
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
    connection.sendall(HALF)
    return connection


def ask(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return answer.read()


def is_closed(connection):
    connection.settimeout(5)
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


def test_who_asks_is_answered_while_hundreds_of_connections_are_half_open(stack):
    port, connections = stack.enter_context(served(most=50))
    halves = [open_half(stack, port) for _ in range(300)]
    assert [ask(port) for _ in range(20)] == [b"well"] * 20
    assert len(connections.waiting) <= 50
    assert all(is_closed(connection) for connection in halves[:230])
    halves[-1].sendall(b"1\r\n\r\n")
    assert halves[-1].recv(100).startswith(b"HTTP/1.1 200"), "the newest ones are still there"


def test_of_many_connections_that_come_at_once_few_are_accepted_in_each_turn_and_the_others_wait(stack):
    are_there, counts = threading.Event(), []

    async def hold_up(_):
        are_there.wait(5)
        for _ in range(100):
            counts.append(len(connections.waiting))
            await asyncio.sleep(0)
        return PlainTextResponse("well")

    port, connections = stack.enter_context(served(most=300, at_once=8, routes=[Route("/hold-up", hold_up)]))
    asking = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
    asking.sendall(b"GET /hold-up HTTP/1.1\r\nHost: x\r\n\r\n")
    began = time.monotonic()
    for _ in range(200):
        open_half(stack, port)
    assert time.monotonic() - began < 0.9, "a connection that the system drops is tried again after a second"
    are_there.set()
    assert asking.recv(100).startswith(b"HTTP/1.1 200")
    assert max(after - before for before, after in pairwise(counts)) == 8
    assert counts[-1] == 200


def test_a_connection_that_is_closed_leaves_nothing_to_a_search_for_garbage(stack):
    port, connections = stack.enter_context(served(most=100))
    gc.disable()
    stack.callback(gc.enable)
    halves = [open_half(stack, port) for _ in range(5)]
    assert ask(port) == b"well"
    transports = [weakref.ref(protocol.transport) for protocol in connections.waiting]
    for half in halves:
        half.close()
    until = time.monotonic() + 5
    while any(transport() for transport in transports) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(transports) >= 5
    assert not any(transport() for transport in transports)


def test_a_conversation_is_not_closed_for_half_open_lines(stack):
    port, _ = stack.enter_context(served(most=10))
    spoken = stack.enter_context(connect(f"ws://127.0.0.1:{port}/echo", proxy=None))
    for _ in range(40):
        open_half(stack, port)
    spoken.send("four")
    assert spoken.recv(5) == "4"


@pytest.fixture
def writes(monkeypatch):
    """Return the lengths of what a server of this process writes, as it grows."""
    lengths, write = [], asyncio.selector_events._SelectorSocketTransport.write
    monkeypatch.setattr(
        asyncio.selector_events._SelectorSocketTransport,
        "write",
        lambda transport, data: (lengths.append(len(data)), write(transport, data)),
    )
    return lengths


def test_the_messages_of_one_turn_leave_together_in_their_order_also_before_the_end(stack, writes):

    async def tell(websocket):
        await websocket.accept()
        writes.clear()
        for number in range(20):
            await websocket.send_bytes(bytes([number]))
        await websocket.receive_bytes()
        await websocket.send_bytes(b"well")
        await websocket.close()

    port, _ = stack.enter_context(served(most=10, routes=[WebSocketRoute("/tell", tell)]))
    spoken = stack.enter_context(connect(f"ws://127.0.0.1:{port}/tell", proxy=None))
    assert [spoken.recv(5) for _ in range(20)] == [bytes([number]) for number in range(20)]
    assert len(writes) == 1
    spoken.send(b"and?")
    assert spoken.recv(5) == b"well"
    with pytest.raises(ConnectionClosed) as closed:
        spoken.recv(5)
    assert closed.value.rcvd.code == 1000


def test_large_messages_are_compressed_and_small_ones_sent_as_they_are(stack, writes):
    small, large = b"small " * 20, b"large " * 2_000

    async def tell(websocket):
        await websocket.accept()
        writes.clear()
        for message in (small, large, small, large):
            await websocket.send_bytes(message)
            await websocket.receive_bytes()
        await websocket.close()

    port, _ = stack.enter_context(served(most=10, routes=[WebSocketRoute("/tell", tell)]))
    spoken = stack.enter_context(connect(f"ws://127.0.0.1:{port}/tell", proxy=None))
    for message in (small, large, small, large):
        assert spoken.recv(5) == message
        spoken.send(b"next")
    with pytest.raises(ConnectionClosed):
        spoken.recv(5)
    assert writes[0] == writes[2] == len(small) + 2
    assert max(writes[1], writes[3]) < 500


def test_when_all_connections_are_in_use_a_new_one_is_refused(stack):
    port, _ = stack.enter_context(served(most=3))
    for _ in range(3):
        stack.enter_context(connect(f"ws://127.0.0.1:{port}/echo", proxy=None))
    assert is_closed(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)))


def test_those_who_ask_have_a_limit_of_their_own_and_the_end_of_a_conversation_makes_room(stack):
    port, connections = stack.enter_context(served(most=50, most_in_use=3))
    halves = [open_half(stack, port) for _ in range(20)]
    spoken = [stack.enter_context(connect(f"ws://127.0.0.1:{port}/echo", proxy=None)) for _ in range(3)]
    assert is_closed(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)))
    halves[0].sendall(b"1\r\n\r\n")
    assert is_closed(halves[0]), "a half-open one that asks at last is no way around it"
    spoken[0].close()
    until = time.monotonic() + 5
    while connections.count_in_use() == 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert ask(port) == b"well"
    assert len(connections.waiting) >= 19, "the other half-open ones are still there"


def test_one_address_does_not_take_all_connections(stack, monkeypatch):
    monkeypatch.setattr(limits, "LOOPBACK", ())
    port, _ = stack.enter_context(served(most=100, most_of_one=5))
    halves = [open_half(stack, port) for _ in range(5)]
    assert is_closed(stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5)))
    halves[0].close()
    time.sleep(0.2)
    assert ask(port) == b"well"


class Transport:
    """A connection of a protocol, in one, that says whether it was ended."""

    closed = False

    def abort(self):
        self.closed = True

    @property
    def transport(self):
        return self


@pytest.mark.parametrize(
    ("peer", "has_proxy", "admitted"),
    [
        ("172.17.0.1", True, True),  # the bridge of a container
        ("10.1.2.3", True, True),
        ("fd00::1", True, True),
        ("172.17.0.1", False, False),
        ("8.8.8.8", True, False),
        ("2a00:1450::1", True, False),
        ("", True, False),
        ("127.0.0.1", False, True),
    ],
)
def test_all_readers_behind_a_proxy_with_a_name_are_not_one_address(peer, has_proxy, admitted):
    connections = make_limits(1024, has_proxy=has_proxy)["http"].counted
    opened = [Transport() for _ in range(256)]
    assert all(connections.admit(transport, peer) for transport in opened)
    assert connections.admit(Transport(), peer) == admitted
    connections.forget(opened[7])
    assert connections.admit(Transport(), peer)


@pytest.mark.parametrize(("named", "has_proxy"), [(["--name", "map.example.org"], True), ([], False)])
def test_only_a_name_says_that_a_proxy_stands_in_front(monkeypatch, tmp_path, named, has_proxy):
    calls = []
    for name in ("announce_site", "apply_settings", "build_application"):
        monkeypatch.setattr(server, name, lambda *_: None)
    monkeypatch.setattr(server, "take_output", io.StringIO)
    monkeypatch.setattr(server, "clean_environment", dict)
    monkeypatch.setattr(server, "run_application", lambda *_, **settings: calls.append(settings))
    server.main(["--releases", str(tmp_path), "--tier", "public", *named])
    assert calls == [{"has_proxy": has_proxy}]


def test_where_all_are_half_open_a_new_connection_takes_the_place_of_the_oldest():
    connections = Connections(most=1000, most_of_one=500)
    opened = [Transport() for _ in range(1500)]
    for number, transport in enumerate(opened):
        assert connections.admit(transport, f"10.0.0.{number % 4}")
        connections.waiting[transport] = None
    assert [transport.closed for transport in opened] == [True] * 500 + [False] * 1000


def test_the_addresses_of_one_subscriber_share_a_limit():
    connections = Connections(most=1000, most_of_one=3)
    for peers in (["2001:db8::1", "2001:db8::2", "2001:db8::3:3"], ["203.0.113.1", "::ffff:203.0.113.1"] * 2):
        transports = [Transport() for _ in range(3)]
        for transport, peer in zip(transports, peers, strict=False):
            assert connections.admit(transport, peer)
        assert not connections.admit(Transport(), peers[0].replace("::1", "::4"))
        connections.forget(transports[0])
        assert connections.admit(Transport(), peers[0])
    assert connections.admit(Transport(), "2001:db8:0:1::1"), "another network"


def test_three_thousand_half_open_connections_all_have_their_time_and_no_more_are_in_use_than_before():
    connections = make_limits(16_384)["http"].counted
    for _ in range(3000):
        transport = Transport()
        assert connections.admit(transport, "127.0.0.1")
        connections.waiting[transport] = None
    assert len(connections.waiting) == 3000
    assert connections.most_in_use == 2000
    assert make_limits(1024)["http"].counted.most_in_use == make_limits(1024)["http"].counted.most == 724
    assert make_limits(1024)["backlog"] <= 8, "in one turn"


def test_a_head_that_takes_too_long_is_given_up_also_the_second_of_a_connection(stack):
    port, connections = stack.enter_context(served(most=100, seconds=0.5))
    first = open_half(stack, port)
    second = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
    second.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b"well"):
        answer += second.recv(1000)
    began = time.monotonic()
    for _ in range(3):
        time.sleep(0.1)
        second.sendall(HALF[:1])  # each character in time
    assert is_closed(first)
    assert is_closed(second)
    assert time.monotonic() - began < 3
    assert not connections.waiting


def test_a_large_message_ends_its_conversation_and_a_usual_one_does_not(stack):
    port, _ = stack.enter_context(served(most=10))
    spoken = stack.enter_context(connect(f"ws://127.0.0.1:{port}/echo", proxy=None))
    spoken.send("x" * (LARGEST_MESSAGE - 10))
    assert spoken.recv(10) == str(LARGEST_MESSAGE - 10)
    spoken.send("x" * (LARGEST_MESSAGE + 1))
    with pytest.raises(ConnectionClosed) as closed:
        spoken.recv(10)
    assert closed.value.rcvd.code == 1009


def test_the_limit_of_files_is_raised_as_far_as_it_may_be(monkeypatch):
    endless = resource.RLIM_INFINITY
    cases = {
        (1024, 4096): 4096,
        (1024, endless): 16_384,
        (64, 64): 64,
        (endless, endless): 16_384,
        (20_000, endless): 20_000,
    }
    for before, after in cases.items():
        now = [before]
        monkeypatch.setattr(resource, "getrlimit", lambda _, now=now: now[0])
        monkeypatch.setattr(resource, "setrlimit", lambda _, pair, now=now: now.__setitem__(0, pair))
        assert limits.raise_file_limit() == after

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(resource, "getrlimit", refuse)
    assert limits.raise_file_limit() == 1024


def test_a_log_says_a_lot_once_and_then_little(monkeypatch):
    now, out = [0.0], io.StringIO()
    log = ShortLog(out, lambda: now[0])
    line = "x" * 99 + "\n"
    for _ in range(100_000):  # ten million characters in a minute
        now[0] += 60 / 100_000
        assert log.write(line) == 100
    assert 200_000 <= len(out.getvalue()) < 270_000
    now[0] += 3600
    log.write("well again\n")
    assert out.getvalue().endswith("were left out, because there were too many.)\nwell again\n")


def test_every_handler_of_the_process_writes_into_the_short_log(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    logger = logging.getLogger("test_limits")
    logger.addHandler(logging.StreamHandler())
    monkeypatch.setattr(limits, "_LOG_AT_ONCE", 1000)
    shorten_log()
    for _ in range(1000):
        logger.error("an attack")
    assert 500 < len(out.getvalue()) < 5000 < 10 * 1000


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("unknown", ""),
    ],
)
def test_readers_are_counted_by_the_address_of_a_subscriber(host, counted):
    assert find_address(HTTPConnection({"type": "http", "client": (host, 1), "headers": []})) == counted
