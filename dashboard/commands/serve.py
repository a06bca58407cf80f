"""`tact serve`: start the web process, which gets the releases and their results but no key."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.demo import build_demo
from dashboard.commands.output import Json, emit, say
from dashboard.site import ALL, HEALTH, allowed_tier, clean_environment, make_serve_command, make_url
from data.errors import InputError, WorkspaceError
from data.release import current_name
from data.restricted import governance
from data.workspace import Workspace, default_path, demo_path

_FIRST_PORT = 8642
_TRIES = 20
_PATIENCE = 60.0
# The address is not of this machine, or the port is not allowed: another port would not help.
_NO_OTHER_PORT = (errno.EADDRNOTAVAIL, errno.EACCES, socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL)


def _is_free(host: str, port: int) -> bool:
    """Return whether a port is free; raise InputError for an address that is not this machine's."""
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


def _choose_port(host: str, wanted: int | None) -> int:
    """Return the wanted port, or the first free one from 8642; raise WorkspaceError if there is none."""
    if wanted is not None:
        if not _is_free(host, wanted):
            raise WorkspaceError(f"Port {wanted} on {host} is taken. Give another with --port, or leave --port out.")
        return wanted
    for port in range(_FIRST_PORT, _FIRST_PORT + _TRIES):
        if _is_free(host, port):
            return port
    msg = f"Ports {_FIRST_PORT} to {_FIRST_PORT + _TRIES - 1} on {host} are taken. Give one with --port."
    raise WorkspaceError(msg)


def _open_workspace(path: Path | None) -> Workspace:
    """Open the given workspace, else the user's own if it has a release, else the demo."""
    if path is not None:
        return Workspace.open(path)
    if default_path().exists():
        workspace = Workspace.open(default_path())
        if current_name(workspace.releases):
            return workspace
        say("Your workspace has no release yet, so this is the demo with invented data.")
    return build_demo(demo_path(), missing_only=True)


def serve(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port. Default: the first free one from 8642.")
    ] = None,
    address: Annotated[
        str, typer.Option(help="Network address. Any address other than this machine's own shows only the public tier.")
    ] = "127.0.0.1",
    as_json: Json = False,
) -> None:
    """Open the map. Without a release of your own it shows the demo with invented data."""
    workspace = _open_workspace(context.obj)
    port = _choose_port(address, port)
    # A withdrawn approval of community layers counts for earlier releases too.
    blocked = governance.read(workspace).blocked
    command = make_serve_command(workspace.releases, address, port, blocked, workspace.derived)
    with _web_process(command) as process:
        url = _wait_until_up(process, make_url(address, port))
        tier = allowed_tier(address)
        emit(
            {"url": url, "tier": tier, "workspace": str(workspace.path), "invented": workspace.invented},
            as_json,
            "",
            f"  TACT Map is at {url}",
            *([f"  From other machines: http://{socket.gethostname()}:{port}"] if address in ALL else []),
            f"  It shows the {tier} tier of {_describe(workspace)}. Stop it with Ctrl+C.",
            *(["  The address lets one browser in, once. Press Enter for another one."] if tier == "partner" else []),
            "",
        )
        sys.stdout.flush()
        for line in _read_lines(process):
            say(f"  A new address: {line}")
        raise SystemExit(process.wait())


def _describe(workspace: Workspace) -> str:
    if workspace.demo:
        return "the demo with invented data"
    if workspace.invented:
        return f"your practice workspace {workspace.path}"
    return f"the workspace {workspace.path}"


@contextmanager
def _web_process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web process; it ends when this process ends, for any reason."""
    process = subprocess.Popen(command, env=clean_environment(os.environ), stdout=subprocess.PIPE)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield process
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    finally:
        process.terminate()
        process.wait()


def _read_lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Read what the web process prints: the address to open, then another one whenever somebody presses Enter."""
    if process.stdout is not None:
        yield from (line.decode().strip() for line in process.stdout)


def _wait_until_up(process: subprocess.Popen[bytes], url: str) -> str:
    """Return the address to open once the web process answers; raise WorkspaceError when it ends or does not answer."""
    address = next(_read_lines(process), "")
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url + HEALTH, timeout=2):  # noqa: S310
                return address
        except OSError:
            time.sleep(0.1)
    raise WorkspaceError(f"The map did not start at {url}; see the messages above. Try another port: --port 8700")
