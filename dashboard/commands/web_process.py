"""Start a process that serves pages: choose its port, read its output, and end it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from dashboard.commands.asking import can_ask
from dashboard.site import HEALTH, clean_environment
from data.errors import InputError, WorkspaceError

_TRIES = 20
_PATIENCE = 60.0
# The address is not of this machine, or the port is not allowed: another port would not help.
_NO_OTHER_PORT = (errno.EADDRNOTAVAIL, errno.EACCES, socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL)


def _is_free(host: str, port: int) -> bool:
    """Return whether a port is free; raise InputError if this machine does not have the address or allow the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in _NO_OTHER_PORT:
                raise InputError(
                    f"Cannot use port {port} on {host!r}: {error.strerror or error}. Give an address of this "
                    "machine, or 0.0.0.0 for all of them."
                ) from None
            return False
    return True


def choose_port(host: str, wanted: int | None, first: int) -> int:
    """Return the port `wanted`, or the first free one of twenty from `first` on if it is None.

    Raises WorkspaceError if the port is taken, or none is free. Raises InputError for an address that this machine does
    not have, and for a port that this user may not use.
    """
    if wanted is not None:
        if not _is_free(host, wanted):
            raise WorkspaceError(f"Port {wanted} on {host} is taken. Give another with --port, or leave --port out.")
        return wanted
    for port in range(first, first + _TRIES):
        if _is_free(host, port):
            return port
    raise WorkspaceError(f"Ports {first} to {first + _TRIES - 1} on {host} are taken. Give one with --port.")


@contextmanager
def run_web_process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a web process and yield it. It is stopped when the block ends, also after Ctrl+C or SIGTERM.

    After either of them this process exits with code 0. Standard input and output of the web process are pipes. The
    input also ends if this process is killed, on each system: then the web process ends itself.
    """
    process = subprocess.Popen(  # noqa: S603
        command, env=clean_environment(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield process
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    finally:
        process.terminate()
        process.wait()


def read_lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield the lines that the web process prints: the address to open, then a new one at each press of Enter."""
    if process.stdout is not None:
        yield from (line.decode().strip() for line in process.stdout)


def send_line(process: subprocess.Popen[bytes], line: str = "") -> None:
    """Send a line to the web process, which answers with a new address to open."""
    if process.stdin is not None:
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()


def call_at_each_enter(send: Callable[[], None]) -> None:
    """Call `send` whenever somebody presses Enter in the terminal, if there is one, until the web process has ended."""
    if can_ask():
        # A terminal stops a process that reads from it in the background. Ignored: no new addresses, but pages stay.
        if hasattr(signal, "SIGTTIN"):
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        Thread(target=_wait_for_enter, args=(send,), daemon=True).start()


def _wait_for_enter(send: Callable[[], None]) -> None:
    with suppress(OSError, ValueError):
        # Not through Python's own buffer, whose lock would delay the end of the process.
        while os.read(sys.stdin.fileno(), 4096):
            send()


def wait_until_up(process: subprocess.Popen[bytes], url: str) -> str:
    """Return the address to open once the web process answers at `url`.

    Raises WorkspaceError if the process ends, or does not answer within a minute.
    """
    address = next(read_lines(process), "")
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url + HEALTH, timeout=2):  # noqa: S310
                return address
        except urllib.error.HTTPError:
            return address  # it answers, and says in its pages what is wrong
        except OSError:
            time.sleep(0.1)
    raise WorkspaceError(f"It did not start at {url}; see the messages above. Try another port: --port 8700")
