"""Run a server of a workspace for the benchmarks: it is started like `tact serve`, and stopped at the end."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from dashboard.site import Site, clean_environment, make_serve_command
from data.tables.spec import Tier

_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process, and the cookie that gives access (empty where none is needed)."""

    url: str
    process: int
    cookie: str


@contextmanager
def serve(workspace: Path, tier: Tier, port: int, errors: IO[bytes] | None = None) -> Iterator[Server]:
    """Serve a workspace on 127.0.0.1 until the `with` block ends; standard error goes to `errors`.

    Raises RuntimeError if the server does not answer within a minute.
    """
    site = Site(workspace / "releases", tier, workspace / "derived")
    process = subprocess.Popen(
        make_serve_command(site, "127.0.0.1", port),
        stdout=subprocess.PIPE, stderr=errors, text=True, env=clean_environment(os.environ),
    )  # fmt: skip
    try:
        printed = process.stdout.readline().strip() if process.stdout else ""
        yield Server(f"http://127.0.0.1:{port}", process.pid, _enter(printed))
    finally:
        process.terminate()
        process.wait()


def _enter(address: str) -> str:
    """Request the address that a server printed until it answers; return the cookie that it sets, or an empty text."""
    parts, until = urlsplit(address), time.monotonic() + _SECONDS
    while time.monotonic() < until:
        line = http.client.HTTPConnection(parts.netloc, timeout=_SECONDS)
        try:
            line.request("GET", f"{parts.path or '/'}?{parts.query}" if parts.query else "/health")
            return line.getresponse().headers.get("Set-Cookie", "").partition(";")[0]
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            line.close()
    msg = "The server did not start."
    raise RuntimeError(msg)
