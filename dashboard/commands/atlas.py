"""`tact atlas`: write the layers of a release as maps in files that open in a browser without a server."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.export import Folder, Receiver, ReleaseName, TierName, open_to_write
from dashboard.commands.languages import check_language, make_language_option
from dashboard.commands.output import Json, emit, progress
from dashboard.site.text import speak
from data.workspace.files import fill_folder


def atlas(
    context: typer.Context,
    to: Folder,
    tier: TierName = "public",
    release: ReleaseName = None,
    receiver: Receiver = None,
    language: Annotated[str, make_language_option("the atlas")] = "en",
    as_json: Json = False,
) -> None:
    """Write the layers of a release as maps in HTML files, communities apart, which need no server and no network."""
    check_language(language, "atlas")
    opened = open_to_write(context, to, tier, release, receiver, ["atlas"])
    from dashboard.map.atlas import write_atlases

    with progress("Reading views") as tick, speak(language), fill_folder(to) as part:
        paths = [str(to / path.name) for path in write_atlases(opened, part, tick)]
    emit({"files": paths, "release": opened.name, "tier": tier, "for": receiver}, as_json, *paths)
