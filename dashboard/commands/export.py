"""`tact export`: a release's layers as files, without a browser."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, cast

import typer

from dashboard.commands.output import Json, emit, progress
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.release import Release
from data.restricted import governance
from data.restricted.governance import ledger
from data.tables.spec import Tier
from data.workspace import Workspace
from geo import export as exports

_COLUMNS = ("day", "for", "kind", "release", "formats", "layers")
_TIERS = ("partner", "public")


def export(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="Folder for the files.")],
    formats: Annotated[
        list[str], typer.Option("--format", help=f"One of {', '.join(exports.FORMATS)}; may be repeated.")
    ],
    tier: Annotated[str, typer.Option(help="partner (under agreement) or public.")] = "public",
    release: Annotated[str | None, typer.Option(help="A release's name; default: the current one.")] = None,
    receiver: Annotated[
        str | None,
        typer.Option("--for", help="Who receives partner files, under which agreement they stand."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the layers of a release as files, with codebook, licence and citation."""
    if tier not in _TIERS:
        msg = f"No tier {tier!r}. There are: {', '.join(_TIERS)}."
        raise InputError(msg)
    if to.exists() and not to.is_dir():
        msg = f"{to} is a file. Give a folder: --to FOLDER"
        raise InputError(msg)
    workspace = open_workspace(context, or_demo=True)
    governed = governance.read(workspace)
    # Of earlier releases too: an approval that was taken back holds for what leaves from now on.
    opened = Release.open(
        workspace.releases, cast("Tier", tier), release, governed.blocked, workspace.derived
    )
    layers = [one.id for one in exports.exportable(opened)]
    if tier == "partner":
        note_receiver(workspace, opened, receiver, formats, layers)
    with progress("Writing") as tick:
        files = exports.export(opened, to, formats, layers, progress=tick)
    written = [str(path) for path in files]
    emit({"files": written, "release": opened.name, "tier": tier, "for": receiver}, as_json, *written)


def note_receiver(
    workspace: Workspace,
    release: Release,
    receiver: str | None,
    formats: list[str],
    layers: list[str],
) -> None:
    """Check that somebody may receive partner files, and write it down before there is a file.

    `layers` names what is in them. Raises InputError where nobody is named or nobody of that name may.
    """
    if receiver is None:
        msg = "Partner files are protected, not anonymous: say who receives them, --for NAME."
        raise InputError(msg)
    today = dt.datetime.now(dt.UTC).date()
    agreement = governance.read(workspace).receiver(receiver, today)
    line = [today.isoformat(), agreement.receiver, agreement.kind, release.name]
    line += [" ".join(formats), " ".join(layers)]
    ledger.append(workspace.path / ledger.EXPORTS, _COLUMNS, line)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)
