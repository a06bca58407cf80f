"""`tact serve`: start the web process, which gets the releases and their results but no key."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from dashboard.commands.asking import can_ask
from dashboard.commands.output import Json, emit, say
from dashboard.commands.people import LOCAL, AccountsFile
from dashboard.commands.web_process import (
    call_at_each_enter,
    choose_port,
    read_lines,
    run_web_process,
    send_line,
    wait_until_up,
)
from dashboard.commands.workspace import OWN_WORKSPACE
from dashboard.site import ALL, Site, allowed_tier, check_name, make_serve_command, make_url
from data.accounts.addresses import LOOPBACK
from data.accounts.database import Accounts
from data.accounts.provider import find_provider_file, read_provider
from data.errors import InputError, TactError
from data.release import current_name
from data.release.signed_list import Publisher
from data.restricted import governance
from data.tables.spec import Tier
from data.workspace import Workspace, default_path, demo_path

_FIRST_PORT = 8642
_SECONDS = 2.0  # between two checks of governance.toml


def _open_workspace(path: Path | None) -> Workspace:
    """Open the workspace at `path`; if it is None, the user's own if it has a release, else the demo.

    The demo is built if it does not exist.
    """
    if path is not None:
        return Workspace.open(path)
    if default_path().exists():
        workspace = Workspace.open(default_path())
        if current_name(workspace.releases):
            return workspace
        say("Your workspace has no release yet, so this is the demo with invented data.")
    else:
        say(f"No workspace is named, so this is the demo with invented data. {OWN_WORKSPACE}")
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
    tier: Annotated[str | None, typer.Option(help="partner or public; default: what the address allows.")] = None,
    name: Annotated[
        str | None, typer.Option(help="The host name by which a proxy asks. Needs the public tier or --people.")
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="Show a folder that `tact publish` wrote, without a workspace.")
    ] = None,
    signed_by: Annotated[
        str | None, typer.Option(help="The public key that `tact publish` printed; nothing else is believed.")
    ] = None,
    people: Annotated[
        bool, typer.Option("--people", help="People sign in to the partner tier (tact people), with no printed token.")
    ] = False,
    accounts: AccountsFile = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="For engineers: a page whose code changes is shown anew, without a restart.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Open the map. Without a release of your own it shows the demo with invented data."""
    shown = allowed_tier(address, tier)
    check_name(name, shown, people=people)
    if dev and address not in LOOPBACK:
        raise InputError("--dev is for this machine alone: leave --address out.")
    workspace = None if published is not None or signed_by is not None else _open_workspace(context.obj)
    if workspace is None:
        site, source = _open_published(published, signed_by, shown)
    else:
        governance.note_blocked(workspace)
        site, source = Site(workspace.releases, shown, workspace.derived), _describe(workspace)
    file, access = _find_accounts(workspace, accounts, people=people)
    port = choose_port(address, port, _FIRST_PORT)
    command = make_serve_command(site, address, port, name=name, accounts=file, access=access)
    with run_web_process([*command, "--until-input-ends", *(["--dev"] if dev else [])]) as process:
        url = wait_until_up(process, make_url(address, port))
        about = {"workspace": str(workspace.path), "invented": workspace.invented} if workspace is not None else {}
        emit(
            {"url": url, "tier": shown, **about},
            as_json,
            "",
            f"  TACT Map is at {url}",
            *([f"  From other machines: http://{socket.gethostname()}:{port}"] if address in ALL else []),
            f"  It shows the {shown} tier of {source}. Stop it with Ctrl+C.",
            *_explain_entry(shown, name, make_url(address, port), people=people),
            "",
        )
        sys.stdout.flush()
        if workspace is not None:
            Thread(target=_follow_governance, args=(workspace,), daemon=True).start()
        if shown == "partner" and not people:
            call_at_each_enter(partial(send_line, process))
        for line in read_lines(process):
            say(f"  A new address: {line}")
        raise SystemExit(process.wait())


def _open_published(folder: Path | None, key: str | None, tier: Tier) -> tuple[Site, str]:
    """Return the site of a publisher's folder, and words for what it shows.

    Raises InputError if the folder or the key is missing, the key is not valid, or no list there is signed with it.
    """
    if folder is None or key is None:
        raise InputError(
            "--published and --signed-by belong together: the folder, and the key that tact publish printed."
        )
    publisher = Publisher(folder.absolute(), key, tier)
    if not publisher.read_lists():
        other: Tier = "public" if tier == "partner" else "partner"
        if replace(publisher, tier=other).read_lists():
            raise InputError(f"{folder} was published for the {other} tier. Add: --tier {other}")
        raise InputError(
            f"Nothing in {folder} is signed by this key. Compare the key with what `tact publish` printed."
        )
    return Site.of_publisher(publisher), f"what was published to {folder}"


def _find_accounts(
    workspace: Workspace | None, accounts: Path | None, *, people: bool
) -> tuple[Path | None, Path | None]:
    """Return the file of the people who sign in, and the one that names the provider of their organisation.

    The first is None if nobody signs in. The second is None if all people sign in here and none at an organisation.
    Raises InputError if `accounts` is given without `people`, or nothing says which file to use. Raises InputError or
    WorkspaceError if a file cannot be used.
    """
    if not people:
        if accounts is not None:
            raise InputError("--accounts is for people who sign in: give --people with it.")
        return None, None
    file = accounts if workspace is None else accounts or workspace.accounts
    if file is None:
        raise InputError("Without a workspace --people needs the file of accounts: --accounts FILE")
    access = find_provider_file(file.parent, *([workspace.path] if workspace is not None else []))
    if access is None:
        return Accounts.open(file).path.absolute(), None
    read_provider(access)
    return Accounts.open_or_create(file).path.absolute(), access.absolute()


def _explain_entry(tier: str, name: str | None, url: str, *, people: bool) -> list[str]:
    """Return lines on how others get in. `url` is where the map answers on this machine, without a proxy."""
    if people:
        address = f"https://{name}" if name else url
        option = "" if address == LOCAL else f" --at {address}"
        return [f"  People sign in at {address}. Invite them: tact people invite NAME --role ROLE{option}"]
    again = " Press Enter for another one." if can_ask() else ""
    return [f"  The address lets one browser in, once.{again}"] if tier == "partner" else []


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
