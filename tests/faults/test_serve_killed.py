"""kill -9 of `tact serve`: its web process ends too, so that the next start finds the port free and shows new data."""

import os
import signal
import socket
import time

import psutil
import pytest

from tests.helpers.guarding import serve

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")]


@pytest.fixture
def served(demo_world, tmp_path):
    """Start `tact serve` on a terminal; yield the command, and the end of the terminal at which a person types."""
    person, terminal = os.openpty()
    with (tmp_path / "log").open("wb") as log:
        command = serve(demo_world, tmp_path, stdin=terminal, stderr=log)
    yield command, person
    for process in (command.process.pid, command.web):
        if psutil.pid_exists(process):
            os.kill(process, signal.SIGKILL)
    command.process.communicate()
    os.close(person)
    os.close(terminal)


def wait_until(check):
    until = time.monotonic() + 10
    while not check():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_its_web_process_ends_and_leaves_the_port(served):
    command, _ = served
    assert not is_free(command.port)
    command.process.kill()
    wait_until(lambda: is_free(command.port))


@pytest.mark.long  # test_wall.py presses Enter too
def test_each_enter_prints_another_address(served, tmp_path):
    command, person = served
    for number in (1, 2):
        os.write(person, b"\n")
        wait_until(lambda n=number: (tmp_path / "log").read_text().count("A new address: http://127.0.0.1") == n)
    assert psutil.pid_exists(command.web)
