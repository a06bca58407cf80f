"""`tact export`: a release's layers as files, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from dashboard.commands.output import Json, emit, progress
from dashboard.commands.upkeep import open_workspace
from data.disclosure.plan import Tier
from data.errors import InputError
from data.release import Release
from geo import export as exports

__all__ = ["register"]

_TIERS = ("partner", "public")


def export(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="Folder for the files.")],
    formats: Annotated[
        list[str], typer.Option("--format", help=f"One of {', '.join(exports.FORMATS)}; may be repeated.")
    ],
    tier: Annotated[str, typer.Option(help="partner (under agreement) or public.")] = "public",
    release: Annotated[str | None, typer.Option(help="A release's name; default: the current one.")] = None,
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
    opened = Release.open(workspace.releases, cast("Tier", tier), release)
    with progress("Writing") as tick:
        files = exports.export(opened, to, formats, progress=tick)
    written = [str(path) for path in files]
    emit({"files": written, "release": opened.name, "tier": tier}, as_json, *written)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)
