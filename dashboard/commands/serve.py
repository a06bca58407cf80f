"""`tact serve`: start the web process with the releases folder alone and no key in its environment."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from dashboard.access import LOOPBACK, clean_environment, serve_command
from dashboard.commands.demo import build_demo
from dashboard.commands.output import Json, emit, say
from data.errors import WorkspaceError
from data.release import current_name
from data.workspace import Workspace, default_path, demo_path

__all__ = ["register"]

_FIRST_PORT = 8642
_TRIES = 20


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
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
    port: Annotated[int | None, typer.Option(help="Default: the first free one from 8642.")] = None,
    address: Annotated[
        str, typer.Option(help="Where to listen. Any address but this machine's own shows the public tier.")
    ] = "127.0.0.1",
    as_json: Json = False,
) -> None:
    """Open the map. Without a workspace of your own with a release, it shows the invented demo world."""
    workspace = _workspace(context.obj)
    port = _port(address, port)
    tier = "partner" if address in LOOPBACK else "public"
    host = f"[{address}]" if ":" in address else address
    url = f"http://{host}:{port}"
    emit(
        {"url": url, "tier": tier, "workspace": str(workspace.path), "invented": workspace.invented},
        as_json,
        "",
        f"  TACT Map is at {url}",
        f"  Tier: {tier}. Stop it with Ctrl+C.",
        "",
    )
    typer.echo("", nl=False)
    command = serve_command(workspace.releases, address, port)
    process = subprocess.Popen(command, env=clean_environment(dict(os.environ)))  # noqa: S603
    try:
        raise SystemExit(process.wait())
    except KeyboardInterrupt:
        process.terminate()
        process.wait()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)
