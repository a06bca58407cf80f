"""`tact serve`: start the web process, which gets the releases and their results but no key."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, say
from dashboard.commands.web_process import choose_port, read_lines, run_web_process, wait_until_up
from dashboard.site import ALL, allowed_tier, check_name, make_serve_command, make_url
from data.errors import TactError
from data.release import current_name
from data.restricted import governance
from data.workspace import Workspace, default_path, demo_path

_FIRST_PORT = 8642
_SECONDS = 2.0  # between two looks at governance.toml


def _open_workspace(path: Path | None) -> Workspace:
    """Open the given workspace, else the user's own if it has a release, else the demo."""
    if path is not None:
        return Workspace.open(path)
    if default_path().exists():
        workspace = Workspace.open(default_path())
        if current_name(workspace.releases):
            return workspace
        say("Your workspace has no release yet, so this is the demo with invented data.")
    from dashboard.commands.demo import build_demo

    return build_demo(demo_path(), missing_only=True)


def serve(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port. Default: the first free one from 8642.")
    ] = None,
    address: Annotated[
        str, typer.Option(help="Network address. Any address other than this machine's own shows only the public tier.")
    ] = "127.0.0.1",
    tier: Annotated[
        str | None, typer.Option(help="partner or public; default: what the address allows. Only public has a --name.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The host name by which a proxy on this machine asks for the public tier.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Open the map. Without a release of your own it shows the demo with invented data."""
    shown = allowed_tier(address, tier)
    check_name(name, shown)
    workspace = _open_workspace(context.obj)
    port = choose_port(address, port, _FIRST_PORT)
    governance.note_blocked(workspace)
    command = make_serve_command(workspace.releases, address, port, workspace.derived, tier=shown, name=name)
    with run_web_process(command) as process:
        url = wait_until_up(process, make_url(address, port))
        emit(
            {"url": url, "tier": shown, "workspace": str(workspace.path), "invented": workspace.invented},
            as_json,
            "",
            f"  TACT Map is at {url}",
            *([f"  From other machines: http://{socket.gethostname()}:{port}"] if address in ALL else []),
            f"  It shows the {shown} tier of {_describe(workspace)}. Stop it with Ctrl+C.",
            *(["  The address lets one browser in, once. Press Enter for another one."] if shown == "partner" else []),
            "",
        )
        sys.stdout.flush()
        Thread(target=_follow_governance, args=(workspace,), daemon=True).start()
        for line in read_lines(process):
            say(f"  A new address: {line}")
        raise SystemExit(process.wait())


def _follow_governance(workspace: Workspace) -> None:
    """Note each change of governance.toml, so that an open map hides at once what the Roma partner withdraws."""
    last_problem = ""
    while True:
        time.sleep(_SECONDS)
        try:
            governance.note_blocked(workspace)
            problem = ""
        except (OSError, TactError) as error:
            problem = f"The map does not know what {governance.FILE} says now: {error}. Stop it until this is mended."
        if problem and problem != last_problem:
            say(problem)
        last_problem = problem


def _describe(workspace: Workspace) -> str:
    if workspace.demo:
        return "the demo with invented data"
    if workspace.invented:
        return f"your practice workspace {workspace.path}"
    return f"the workspace {workspace.path}"
