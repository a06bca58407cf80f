"""What one process holds out: large messages, and a log that attacks do not fill."""

import io
import logging
import sys
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.web import limits, process
from dashboard.web.limits import LARGEST_MESSAGE, ShortLog, find_address, shorten_log
from tests.helpers.browser import free_port


async def echo(websocket):
    await websocket.accept()
    while True:
        await websocket.send_text(str(len(await websocket.receive_text())))


@pytest.fixture
def served(monkeypatch):
    """Run a small application as the product runs its own, in a thread; return its port."""
    servers, port = [], free_port()
    monkeypatch.setattr(process, "shorten_log", lambda: None)

    class Server(process.uvicorn.Server):
        def __init__(self, config):
            super().__init__(config)
            servers.append(self)

    monkeypatch.setattr(process.uvicorn, "Server", Server)
    application = Starlette(routes=[WebSocketRoute("/echo", echo)])
    thread = threading.Thread(target=process.run_application, args=(application, "127.0.0.1", port))
    thread.start()
    while not servers or not servers[0].started:
        time.sleep(0.01)
    yield port
    servers[0].should_exit = True
    thread.join(10)


def test_a_large_message_ends_its_conversation_and_a_usual_one_does_not(served):
    with connect(f"ws://127.0.0.1:{served}/echo", proxy=None) as spoken:
        spoken.send("x" * (LARGEST_MESSAGE - 10))
        assert spoken.recv(10) == str(LARGEST_MESSAGE - 10)
        spoken.send("x" * (LARGEST_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as closed:
            spoken.recv(10)
    assert closed.value.rcvd.code == 1009


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
