"""`tact export`: write the layers of a release as files, without a browser."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, progress
from dashboard.commands.workspace import check_folder, check_tier, open_release, open_workspace
from data.errors import InputError
from data.release import Release
from data.restricted import governance
from data.restricted.governance import logs
from data.workspace import Workspace
from data.workspace.files import fill_folder
from geo import export as exports
from geo.export.records import write_records
from geo.export.targets import write_targets

_COLUMNS = ("day", "for", "kind", "release", "formats", "layers")
Folder = Annotated[Path, typer.Option("--to", help="Folder to write the files to.")]
TierName = Annotated[str, typer.Option("--tier", help="partner (under agreement) or public.")]
ReleaseName = Annotated[str | None, typer.Option("--release", help="Name of the release. Default: the current one.")]
Receiver = Annotated[
    str | None, typer.Option("--for", help="Name of the receiver of partner files, who must have an agreement.")
]


def export(
    context: typer.Context,
    to: Folder,
    formats: Annotated[
        list[str], typer.Option("--format", help=f"One of {', '.join(exports.FORMATS)}, or several with commas.")
    ],
    tier: TierName = "public",
    release: ReleaseName = None,
    receiver: Receiver = None,
    as_json: Json = False,
) -> None:
    """Write the layers of a release as files, with codebook, licence, citation, records for catalogues and targets."""
    formats = [name.strip() for names in formats for name in names.split(",") if name.strip()]
    opened = open_to_write(context, to, tier, release, receiver, formats)
    layers = [layer.id for layer in exports.list_layers(opened)]
    with fill_folder(to) as part:
        with progress("Writing") as tick:
            files = exports.export_layers(opened, part, formats, layers, progress=tick)
        files += write_records(opened, part) + write_targets(opened, part)
    paths = [str(to / path.name) for path in files]
    emit({"files": paths, "release": opened.name, "tier": tier, "for": receiver}, as_json, *paths)


def open_to_write(
    context: typer.Context,
    to: Path,
    tier: str,
    name: str | None,
    receiver: str | None,
    formats: list[str],
    layers: list[str] | None = None,
) -> Release:
    """Open the release from which files will be written. For the partner tier the receiver is logged.

    formats, layers : what is logged; `layers` is by default all layers. Raises InputError for an unknown tier, a file
    in place of the folder, or partner files without a receiver. Raises WorkspaceError if there is no agreement with the
    receiver, and ReleaseError as `open_release` does.
    """
    known_tier = check_tier(tier)
    check_folder(to)
    workspace = open_workspace(context, or_demo=True)
    opened = open_release(workspace, known_tier, name)
    if tier == "partner":
        listed = layers or [layer.id for layer in exports.list_layers(opened)]
        log_receiver(workspace, [opened.name], receiver, formats, listed)
    return opened


def log_receiver(
    workspace: Workspace, releases: list[str], receiver: str | None, formats: list[str], layers: list[str]
) -> None:
    """Check that `receiver` may get partner files, and write a line to the log before any file is written.

    `releases` and `layers` are those in the files. Raises InputError when no receiver is named, WorkspaceError when
    there is no agreement with that receiver.
    """
    if receiver is None:
        raise InputError("Partner files are protected, not anonymous: name the receiver with --for NAME.")
    today = dt.datetime.now(dt.UTC).date()
    agreement = governance.read(workspace).receiver(receiver, today)
    line = [today.isoformat(), agreement.receiver, agreement.kind]
    line += [" ".join(listed) for listed in (releases, formats, layers)]
    logs.append_line(workspace.path / logs.EXPORTS, _COLUMNS, line)
