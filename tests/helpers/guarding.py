"""Watch a web process from outside and from inside.

From outside: Linux reports every opened file (inotify), whichever code opens it, also C code. From inside: an audit
hook, which Python itself loads at the start, records what the process opens, imports and connects to.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.entry import cookie_headers, enter
from tests.helpers.paths import ROOT

_OPENED = 0x00000020 | 0x00000001  # IN_OPEN, IN_ACCESS
_EVENT = struct.Struct("iIII")
# Every Python that finds it on its path loads it; it records only in the web process.
_SPY = """
import os, sys
if {"dashboard.server", "dashboard.desk.server"}.intersection(getattr(sys, "orig_argv", ())):
    seen = os.open(os.environ["SEEN_BY_TEST"], os.O_WRONLY | os.O_APPEND)
    def hook(event, arguments):
        if event in ("open", "import", "socket.connect", "socket.getaddrinfo", "socket.sendto"):
            told = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
            os.write(seen, f"{event} {told}\\n".encode("utf-8", "replace"))
    sys.addaudithook(hook)
"""


class Watched:
    """A watch that lists the files below `folders` that were opened or read since it began. Linux only."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.inotify_init1(os.O_NONBLOCK)
        self._names: dict[int, Path] = {}
        top = list(folders)
        # The folders are listed before the watch begins, because it would report this.
        for folder in [*top, *(p for folder_above in top for p in folder_above.rglob("*") if p.is_dir())]:
            self._add(folder)

    def _add(self, folder: Path) -> None:
        number = self._libc.inotify_add_watch(self._file, os.fsencode(folder), _OPENED)
        assert number >= 0, os.strerror(ctypes.get_errno())
        self._names[number] = folder

    def opened(self) -> list[str]:
        """Return the paths that were opened or read since the last call, sorted."""
        try:
            data = os.read(self._file, 2**20)
        except BlockingIOError:
            return []
        paths, position = set(), 0
        while position < len(data):
            number, _mask, _cookie, length = _EVENT.unpack_from(data, position)
            name = data[position + _EVENT.size : position + _EVENT.size + length].rstrip(b"\0").decode()
            paths.add(str(self._names[number] / name))
            position += _EVENT.size + length
        return sorted(paths)


@dataclass(frozen=True)
class Command:
    """A running `tact serve`, with the log of its web process."""

    url: str
    process: subprocess.Popen[str]
    web: int
    seen: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def did(self, event: str) -> list[str]:
        """List what the audit hook recorded for an event."""
        lines = self.seen.read_text(encoding="utf-8").splitlines()
        return [line.removeprefix(f"{event} ") for line in lines if line.startswith(f"{event} ")]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


def install_spy(folder: Path) -> dict[str, str]:
    """Write the audit hook into a folder; return the environment variables with which a new web process uses it.

    SEEN_BY_TEST names the file in which the process records what it does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_SPY, encoding="utf-8")
    seen = folder / "seen"
    seen.touch()
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "SEEN_BY_TEST": str(seen)}


def serve(workspace: Path, folder: Path, *arguments: str, environment: dict[str, str] | None = None, **how) -> Command:
    """Start `tact serve` as a user does, with an audit hook in its web process; wait until it answers."""
    import json

    import psutil

    variables = os.environ | install_spy(folder)
    command = [sys.executable, "-m", "dashboard.cli", "--workspace", str(workspace), "serve", "--json"]
    process = subprocess.Popen(
        [*command, "--port", str(free_port()), *arguments],
        cwd=folder,
        env=variables | (environment or {}),
        stdout=subprocess.PIPE,
        text=True,
        **how,
    )
    answer = ""
    while not answer.endswith("}\n"):
        line = process.stdout.readline()
        assert line, f"the command ended with exit code {process.wait()}: {answer}"
        answer += line
    (web,) = psutil.Process(process.pid).children()
    return Command(enter(json.loads(answer)["url"]), process, web.pid, Path(variables["SEEN_BY_TEST"]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def ask(command: Command, path: str, *, method: str = "GET", headers: Iterable[str] | None = None, known: bool = True):
    """Send a request exactly as given, with the cookie if `known`; return status, headers and body.

    headers : lines to send instead of the usual `Host`.
    """
    host = command.url.removeprefix("http://").rpartition(":")[0].strip("[]")
    lines = [f"Host: {host}:{command.port}"] if headers is None else list(headers)
    lines += [f"{name}: {value}" for name, value in cookie_headers(command.url).items()] if known else []
    upgrade = any(line.startswith("Upgrade:") for line in lines)
    lines += [] if upgrade else ["Connection: close"]
    request = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""])
    with socket.create_connection((host, command.port), timeout=20) as line:
        line.sendall(request.encode("latin-1"))
        head, _, body = _everything(line).partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers_sent = {name.lower(): value.strip() for name, _, value in (header.partition(":") for header in rest)}
    if headers_sent.get("transfer-encoding") == "chunked":
        body = _joined(body)
    return int(first.split()[1]), headers_sent, body


def _everything(line: socket.socket) -> bytes:
    data, until = b"", time.monotonic() + 20
    while time.monotonic() < until:
        part = line.recv(2**16)
        if not part:
            return data
        data += part
        # An accepted websocket stays open.
        if data.startswith(b"HTTP/1.1 101"):
            return data
    return data


def _joined(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + body[:length], body[length + 2 :]
    return whole


def without_override() -> None:
    """Remove root's right to ignore file modes, before a program starts; this has no effect for other users."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; PR_CAPBSET_DROP is 24
        libc.prctl(24, capability, 0, 0, 0)
