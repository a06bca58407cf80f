"""`tact synthetic`: write synthetic records that agree with a public release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.export import Folder
from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import check_folder, open_workspace
from data.errors import InputError
from data.release import WITHDRAWN, Release, find_release, read_blocked, read_withdrawn
from data.workspace.files import fill_folder
from geo.export.synthetic import SEED, write_synthetic


def synthetic(
    context: typer.Context,
    to: Folder,
    release: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a release (releases/NAME), or the folder in which releases is. Default: the workspace."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same rows.")] = SEED,
    as_json: Json = False,
) -> None:
    """Write made-up records that agree with a public release, for teaching and for writing code before access.

    A report beside them says how well they agree with each published table, and what they must not be used for.
    """
    check_folder(to)
    releases, name = find_release(release or open_workspace(context, or_demo=True).path)
    if name in read_withdrawn(releases):
        raise InputError(f"Release {name} was taken back ({WITHDRAWN}). Choose another: tact releases")
    opened = Release.open(releases, "public", name, read_blocked(releases))
    with fill_folder(to) as part:
        written, report = write_synthetic(opened, part, seed)
    paths = [str(to / path.name) for path in written]
    emit({"files": paths, **report}, as_json, *paths)
