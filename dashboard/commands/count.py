"""`tact count`: exact counts of a partner's bulk records by municipality, from points or codes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.personal.content import find_personal_content, recognise_degrees
from data.personal.given_names import find_given_names
from data.personal.headings import find_personal_heading
from data.restricted.bulk_counts import Columns, Counts, count_files
from data.schema.vocabulary import ALL_PERSONAL
from data.workspace import default_path
from data.workspace.files import replacing
from data.workspace.safe_text import escape_frame
from geo.areas import Areas, load_areas
from geo.point_index import PointIndex

_RESULT = ("area", "records")
_ABOUT = "Exact counts, for those who may read the records alone: do not pass them on, and do not publish them."
_WORDS = {
    "outside": "in no area",
    "swapped": "longitude and latitude seem to be exchanged",
    "not_degrees": "no degrees: a longitude beyond 180 or a latitude beyond 90",
    "missing": "no place is given",
    "unknown_area": "no code of a municipality",
}


def count(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files with a row for each record.")],
    to: Annotated[Path, typer.Option(help="CSV file to write: area, categories, records. For its owner alone.")],
    by: Annotated[
        list[str] | None, typer.Option(help="Heading of a column to count by; may be given several times.")
    ] = None,
    area: Annotated[
        str | None, typer.Option(help="Heading of the codes of municipalities, in place of points.")
    ] = None,
    longitude: Annotated[str, typer.Option(help="Heading of the longitudes, in degrees (WGS 84).")] = "longitude",
    latitude: Annotated[str, typer.Option(help="Heading of the latitudes, in degrees (WGS 84).")] = "latitude",
    cluster: Annotated[
        str, typer.Option(help="Address of a Dask scheduler, or local for processes of this machine.")
    ] = "",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads, or processes of a local cluster. Default: one for each core.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Count a partner's bulk records by municipality; points are read and never stored.

    The counts are exact, so they are only for people who may read the records.
    """
    if to.is_dir() or to.resolve() in {file.resolve() for file in files}:
        raise InputError(f"{to} is a folder, or a file that is to be counted. Give another name: --to FILE")
    by = list(dict.fromkeys(by or ()))
    for heading in by:
        if heading in _RESULT:
            raise InputError(
                f"The result has a column {heading!r} of its own. Give that column another name in the file."
            )
        _refuse_personal(
            heading, "coordinates" if heading in (longitude, latitude) else find_personal_heading(heading, ALL_PERSONAL)
        )
    has_workspace = context.obj is not None or default_path().exists()
    areas = load_areas(open_workspace(context).areas if has_workspace else None)
    columns = Columns(tuple(by), area, longitude, latitude)
    workers = workers or os.cpu_count() or 1
    counts = count_files(files, columns, PointIndex.of_areas(areas), cluster=cluster, workers=workers)
    for heading, categories in zip(by, counts.labels, strict=True):
        _refuse_personal(heading, _find_personal(list(categories)))
    with replacing(to, mode=0o600) as aside:
        escape_frame(counts.tabulate(columns.by).to_pandas()).to_csv(aside, index=False)
    answer = {"file": str(to), "counted": counts.counted, "refused": counts.refused, "boundaries": areas.source}
    emit(answer, as_json, *_format(counts, to, areas))


def _find_personal(categories: list[str]) -> str | None:
    if sort := find_personal_content(categories, "text"):
        return sort
    if recognise_degrees(categories):
        return "coordinates"
    return "names" if find_given_names(categories) else None


def _refuse_personal(heading: str, sort: str | None) -> None:
    if sort:
        raise InputError(f"Records are not counted by {heading!r}, which seems to hold {sort}. Choose another column.")


def _format(counts: Counts, to: Path, areas: Areas) -> Iterator[str]:
    yield f"Counted: {counts.counted:,}, in {to}."
    for reason, number in counts.refused.items():
        yield f"Not counted, {_WORDS[reason]}: {number:,}."
    yield f"Boundaries: {areas.source}."
    yield _ABOUT
