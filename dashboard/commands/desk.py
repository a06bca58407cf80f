"""`tact desk`: start the desk's process, which gets the keys through a pipe."""

from __future__ import annotations

import json
import sys
from functools import partial
from subprocess import Popen
from typing import Annotated

import typer

from dashboard.commands.asking import can_ask
from dashboard.commands.output import Json, emit, say
from dashboard.commands.web_process import (
    call_at_each_enter,
    choose_port,
    read_lines,
    run_web_process,
    send_line,
    wait_until_up,
)
from dashboard.commands.workspace import open_workspace
from dashboard.site import make_url
from data.errors import VaultError, WorkspaceError
from data.restricted import keys
from data.restricted.vault import load_keys, open_vault
from data.workspace import Workspace

_HOST = "127.0.0.1"
_FIRST_PORT = 8662  # after those of the map


def desk(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port. Default: the first free one from 8662.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Open the desk, a page on this machine for the data officer.

    It locks after 15 minutes without use. Press Enter here to unlock it.
    """
    workspace = open_workspace(context)
    if workspace.demo:
        raise WorkspaceError(
            f"{workspace.path} is the demo, and nothing can be imported into it. To practise with invented files, make "
            "a practice workspace: tact --workspace DIR init --practice"
        )
    secrets = load_keys(workspace)
    open_vault(workspace, secrets).close()
    port = choose_port(_HOST, port, _FIRST_PORT)
    command = [sys.executable, "-m", "dashboard.desk.server", "--workspace", str(workspace.path), "--port", str(port)]
    with run_web_process(command) as process:
        _send_keys(process, secrets)
        url = wait_until_up(process, make_url(_HOST, port))
        emit(
            {"url": url, "workspace": str(workspace.path), "invented": workspace.invented},
            as_json,
            "",
            f"  The desk of {workspace.path} is at {url}",
            "  The address lets one browser in, once. The desk locks after 15 minutes without use.",
            f"  {'Press Enter to unlock it and to get another address. ' if can_ask() else ''}Stop it with Ctrl+C.",
            "",
        )
        sys.stdout.flush()
        call_at_each_enter(partial(_send_keys_again, process, workspace))
        for line in read_lines(process):
            say(f"  A new address: {line}")
        raise SystemExit(process.wait())


def _send_keys(process: Popen[bytes], secrets: keys.Keys) -> None:
    send_line(process, json.dumps(keys.format_keys(secrets)))


def _send_keys_again(process: Popen[bytes], workspace: Workspace) -> None:
    try:
        _send_keys(process, load_keys(workspace))
    except VaultError as error:
        say(str(error))
