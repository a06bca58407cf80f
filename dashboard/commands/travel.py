"""`tact travel`: travel times along the roads and ferries of a map file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from dashboard.commands.output import Json, emit, progress
from dashboard.commands.workspace import open_workspace
from geo import areas as geography
from geo.roads import read_roads
from risk.access.tables import remove_roads, write_roads


def travel(
    context: typer.Context,
    osm: Annotated[Path | None, typer.Option(help="Extract of OpenStreetMap (.osm.pbf) that you downloaded.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the times of the last extract.")] = False,
    as_json: Json = False,
) -> None:
    """Read travel times between municipalities from a map file, and keep them for the risk model.

    They take the place of estimates from straight lines. Times that you give with tact risk --travel stand above them.
    """
    if (osm is None) != remove:
        raise typer.BadParameter("Give a file (--osm FILE.osm.pbf), or --remove.")
    workspace = open_workspace(context, or_demo=True)
    if osm is None:
        remove_roads(workspace.derived)
        emit({"places": 0}, as_json, "Removed the times of the map file. To compute without them: tact risk")
        return
    with progress("Reading the map file") as tick:
        day = datetime.fromtimestamp(osm.stat().st_mtime, UTC).date().isoformat() if osm.is_file() else ""
        roads = read_roads(osm, geography.load_areas(workspace.areas), day, tick)
    write_roads(workspace.derived, roads)
    known = np.isfinite(roads.minutes)
    places, pairs = int(known.any(axis=1).sum()), int(known.sum() - np.diag(known).sum())
    emit(
        {"places": places, "pairs": pairs, "source": roads.source, "day": roads.day},
        as_json,
        f"Times between {places} of {len(roads.codes)} municipalities, from {roads.source} of {roads.day}.",
        "To use them: tact risk",
    )
