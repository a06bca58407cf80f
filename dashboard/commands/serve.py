"""`tact serve`: start the web process with the releases, what was derived from them, and no key in reach."""

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
from dashboard.site import HEALTH, allowed_tier, clean_environment, make_serve_command
from data.errors import InputError, WorkspaceError
from data.release import current_name
from data.restricted import governance
from data.workspace import Workspace, default_path, demo_path

_FIRST_PORT = 8642
_TRIES = 20
_PATIENCE = 60.0
# No such address here, no such name, no right to the port: another port would not help.
_NOT_TAKEN = (errno.EADDRNOTAVAIL, errno.EACCES, socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL)
_ALL = ("0.0.0.0", "::")  # noqa: S104


def _free(host: str, port: int) -> bool:
    """Tell whether a port can be listened on; raise InputError for an address that is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in _NOT_TAKEN:
                msg = f"{host!r} port {port} cannot be listened on: {error.strerror or error}. "
                raise InputError(
                    msg + "Give an address of this machine, or 0.0.0.0 for all of them."
                ) from None
            return False
    return True


def _port(host: str, asked: int | None) -> int:
    """Take the port that was asked for, or the first free one from 8642 on."""
    if asked is not None:
        if not _free(host, asked):
            msg = f"Port {asked} on {host} is taken. Give another with --port, or none to take a free one."
            raise WorkspaceError(msg)
        return asked
    for port in range(_FIRST_PORT, _FIRST_PORT + _TRIES):
        if _free(host, port):
            return port
    msg = f"Ports {_FIRST_PORT} to {_FIRST_PORT + _TRIES - 1} on {host} are taken. Give one with --port."
    raise WorkspaceError(msg)


def _workspace(asked: Path | None) -> Workspace:
    """Open the one that was asked for; else your own once it has a release; else the demo world."""
    if asked is not None:
        return Workspace.open(asked)
    own = default_path()
    if own.exists():
        workspace = Workspace.open(own)
        if current_name(workspace.releases):
            return workspace
        say("Your own workspace has no release yet, so this is the invented demo world.")
    return build_demo(demo_path(), missing_only=True)


def serve(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Default: the first free one from 8642.")
    ] = None,
    address: Annotated[
        str, typer.Option(help="Where to listen. Any address but this machine's own shows the public tier.")
    ] = "127.0.0.1",
    as_json: Json = False,
) -> None:
    """Open the map. Without a workspace of your own with a release, it shows the invented demo world."""
    workspace = _workspace(context.obj)
    port = _port(address, port)
    here = "127.0.0.1" if address in _ALL else address
    url = f"http://{f'[{here}]' if ':' in here else here}:{port}"
    # An approval that the Roma partner took back holds for what was released before, too.
    blocked = governance.read(workspace).blocked
    command = make_serve_command(workspace.releases, address, port, blocked, workspace.derived)
    with _web_process(command) as process:
        _wait_until_up(process, url)
        tier = allowed_tier(address)
        emit(
            {"url": url, "tier": tier, "workspace": str(workspace.path), "invented": workspace.invented},
            as_json,
            "",
            f"  TACT Map is at {url}",
            *([f"  From other machines: http://{socket.gethostname()}:{port}"] if address in _ALL else []),
            f"  It shows the {tier} tier of {_named(workspace)}. Stop it with Ctrl+C.",
            "",
        )
        sys.stdout.flush()
        raise SystemExit(process.wait())


def _named(workspace: Workspace) -> str:
    if workspace.demo:
        return "the demo world, which is invented"
    if workspace.invented:
        return f"your practice workspace {workspace.path}"
    return f"the workspace {workspace.path}"


@contextmanager
def _web_process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web process; however this one ends, the other ends with it."""
    process = subprocess.Popen(command, env=clean_environment(os.environ))  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield process
    except KeyboardInterrupt:
        raise SystemExit(0) from None
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until the web process answers; raise WorkspaceError when it ends or stays silent."""
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url + HEALTH, timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.1)
    msg = f"The web process did not start at {url}; see what it said above. Try another port: --port 8700"
    raise WorkspaceError(msg)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)
