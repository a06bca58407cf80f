"""Import official boundaries into a workspace, where they replace the approximate boundaries.

The file's rows are matched to areas. Overlaps larger than slivers are refused, slivers are repaired, and the shapes of
both countries are joined to one coverage. Areas that are not in the file keep their old shape, without the land that
the new shapes cover.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.errors import AreaError
from data.message import shorten
from data.reference import list_predecessors
from data.workspace.files import replacing
from geo.areas import BOUNDARIES, load_areas, read_cells
from geo.boundaries.coverage import NOBODY, cut_faces, dissolve_faces, fill_gaps, measure_width, project_to_metres
from geo.boundaries.file import read_boundaries
from geo.boundaries.matching import Columns, Unmatched, find_columns, match_rows
from geo.places import Places

UNNAMED = "Boundaries imported, source not named"
SLIVER = 1000.0  # metres: boundaries simplified one by one cross each other by less than this
_SLIVER_SHARE = 0.25  # of the smaller area: more is no sliver, however thin
_REMAINS = 0.5  # of an old shape must remain for it to be kept beside new ones
_NAMED_PAIRS = 5


@dataclass(frozen=True)
class Split:
    """A municipality that was split in 2019. The file has only its `parts`, the new municipalities; they are united."""

    code: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class BoundaryReport:
    """The result of an import.

    `matched`: codes of areas with a new shape from the file; `unmatched`: rows left out; `split`: matched areas that
    were joined from parts; `unchanged`: codes of the same countries that keep their old shape; `missing`: codes without
    any shape; `columns`: columns from which codes and names were read.
    """

    matched: tuple[str, ...]
    unmatched: tuple[Unmatched, ...]
    split: tuple[Split, ...]
    unchanged: tuple[str, ...]
    missing: tuple[str, ...]
    columns: Columns


def import_boundaries(
    path: Path,
    areas_table: pd.DataFrame,
    orphan_check: Iterable[str],
    workspace_areas: Path,
    country: str | None = None,
    code_column: str | None = None,
    name_column: str | None = None,
    credit: str | None = None,
) -> BoundaryReport:
    """Read the boundaries of municipalities from a file and write them to a workspace in one step; return a report.

    `areas_table` is the table of areas. `workspace_areas` is the folder that gets the boundaries. `orphan_check` holds
    the codes of areas that have records: a file is refused if one of them would lose its shape. `country` ("AL", "GR")
    restricts the search for names. `code_column` and `name_column` name columns of the file; by default they are found
    by their content. `credit` names the owner and the terms of use; without it, maps and files say that the source is
    not named. If the file cannot be used, nothing is changed, and AreaError is raised with the remedy.
    """
    path = Path(path)
    countries = sorted(areas_table.index[areas_table["level"] == "country"])
    if country is not None and country not in countries:
        raise AreaError(f"{country!r} is not a country of this product. Give one of {', '.join(countries)}.")
    frame = read_boundaries(path)
    places = Places(areas_table)
    columns = find_columns(frame, places, country, code_column, name_column)
    regions = load_areas().frame("region").geometry
    rows, unmatched = match_rows(frame, columns, places, areas_table, regions, country)
    official = _unite_rows(frame.geometry, rows)
    _refuse_overlaps(official, places)
    official, split, partial = _join_successors(official, rows, areas_table, places)
    if not official:
        first = f"Row {unmatched[0].row}: {unmatched[0].reason}" if unmatched else ""
        raise AreaError(f"No row of {path.name} is a municipality that is known. {first}")
    target = Path(workspace_areas) / BOUNDARIES
    before = read_cells(target if target.exists() else None)
    after = _join_shapes(official, before, credit or UNNAMED)
    touched = _list_other_areas(official, areas_table, after.index)
    left_out = sorted([*unmatched, *partial], key=lambda row: row.row)
    lost = sorted(set(orphan_check) & set(before.index.difference(after.index)))
    if lost:
        names = "; ".join(map(places.label, lost))
        raise AreaError(
            f"There are records in areas that these boundaries do not cover: {names}."
            f" Add them to the file, or give a file that has them.{_describe_unmatched(left_out)}"
        )
    _write(after, target)
    return BoundaryReport(tuple(sorted(official)), tuple(left_out), split, *touched, columns)


def _unite_rows(shapes: gpd.GeoSeries, rows: dict[int, str]) -> dict[str, BaseGeometry]:
    """Return one shape per area, the union of its rows: islands are often separate rows."""
    groups: dict[str, list[BaseGeometry]] = {}
    for row, code in rows.items():
        groups.setdefault(code, []).append(shapes[row])
    return {code: shapely.union_all(groups[code]) for code in sorted(groups)}


def _refuse_overlaps(official: dict[str, BaseGeometry], places: Places) -> None:
    """Raise AreaError if areas overlap by more than a sliver: a wide strip, or much of the smaller area."""
    codes = list(official)
    shapes = np.array([official[code] for code in codes])
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first_time = left < right
    left, right = left[first_time], right[first_time]
    common = shapely.intersection(shapes[left], shapes[right])
    size = shapely.area(project_to_metres(shapes))
    share = shapely.area(project_to_metres(common)) / np.minimum(size[left], size[right])
    bad = np.flatnonzero((share > _SLIVER_SHARE) | (measure_width(common) > SLIVER))
    if not len(bad):
        return
    worst = sorted(bad, key=lambda pair: -share[pair])
    pairs = [f"{places.label(codes[left[p]])} and {places.label(codes[right[p]])}" for p in worst]
    raise AreaError(
        f"Areas overlap: {shorten(pairs, _NAMED_PAIRS, '; ')}. Each area may be in the file only once;"
        " correct it in QGIS, or remove parts of areas that are also there as a whole."
    )


def _join_successors(
    official: dict[str, BaseGeometry], rows: dict[int, str], table: pd.DataFrame, places: Places
) -> tuple[dict[str, BaseGeometry], tuple[Split, ...], list[Unmatched]]:
    """Unite the parts of each municipality that was split in 2019; return shapes, splits, rows of incomplete splits."""
    older = list_predecessors(table)
    joined = {code: shape for code, shape in official.items() if code not in older}
    split: list[Split] = []
    partial: list[Unmatched] = []
    for code in sorted({older[part] for part in official if part in older}):
        parts = tuple(part for part in older if older[part] == code)
        if all(part in official for part in parts):
            joined[code] = shapely.union_all([official[part] for part in parts])
            split.append(Split(code, parts))
            continue
        lacking = "; ".join(places.label(part) for part in parts if part not in official)
        reason = f"It is a part of {places.label(code)}, and the file lacks {lacking}."
        part_rows = {row: part for row, part in rows.items() if part in parts}
        partial += [Unmatched(row, places.label(part), reason) for row, part in part_rows.items()]
    return joined, tuple(split), partial


def _join_shapes(official: dict[str, BaseGeometry], before: gpd.GeoDataFrame, origin: str) -> gpd.GeoDataFrame:
    """Join new and old shapes into one coverage of both countries.

    Raises AreaError if the shapes do not form a valid coverage.
    """
    others = _list_old_shapes(official, before)
    credit = "".join(c if c.isprintable() else " " for c in origin)
    new = pd.DataFrame({"approximate": False, "boundaries": credit}, index=[*official])
    new = gpd.GeoDataFrame(new, geometry=[*official.values()], crs=before.crs)
    new = new.assign(imported=new.geometry)
    pieces = pd.concat([_sort_by_size(new), _sort_by_size(others)])
    faces, owners, pieces = _drop_small_rests(pieces, len(new))
    _close_gaps(faces, owners, pieces, before)
    shapes = dissolve_faces(faces, owners)
    joined = pieces.iloc[sorted(shapes)].sort_index()
    numbers = {code: number for number, code in enumerate(pieces.index)}
    joined = joined.set_geometry([shapes[numbers[code]] for code in joined.index], crs=before.crs)
    if not shapely.coverage_is_valid(joined.geometry.to_numpy()):
        raise AreaError(f"The boundaries of {origin} do not fit together. Repair them in QGIS first.")
    return joined.rename_axis("code")


def _list_old_shapes(official: dict[str, BaseGeometry], before: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the old shapes that stay beside the new ones: shapes of earlier imports, elsewhere the approximate cells.

    All are as they were before any import, because an earlier import may have cut them.
    """
    shipped = read_cells()
    if "imported" not in before:
        before = before.assign(imported=None)
    earlier = before[before["imported"].notna()]
    earlier = earlier.set_geometry("imported", crs=before.crs).drop(columns="geometry")
    earlier = earlier.assign(geometry=earlier["imported"]).set_geometry("geometry")
    cells = shipped.assign(imported=None).drop(index=earlier.index.intersection(shipped.index))
    beside = pd.concat([earlier, cells])
    return beside[~beside.index.isin(official)]


def _sort_by_size(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return exact shapes before approximate ones, each from small to large: an overlap goes to the first shape."""
    size = pd.Series(shapely.area(frame.geometry.to_numpy()), index=frame.index)
    order = np.lexsort((frame.index, size, frame["approximate"]))
    return frame.iloc[order]


def _drop_small_rests(pieces: gpd.GeoDataFrame, new: int) -> tuple[np.ndarray, np.ndarray, gpd.GeoDataFrame]:
    """Return the faces that the borders enclose, the owner of each face, and the shapes that stay.

    The first `new` shapes stay. An old shape is left out if less than half of its area would remain.
    """
    faces, owners = cut_faces(pieces.geometry.to_numpy())
    owned = owners != NOBODY
    size = np.bincount(owners[owned], shapely.area(faces)[owned], minlength=len(pieces))
    remains = size / shapely.area(pieces.geometry.to_numpy())
    keep = (np.arange(len(pieces)) < new) | (remains >= _REMAINS)
    if keep.all():
        return faces, owners, pieces
    return _drop_small_rests(pieces[keep], new)


def _close_gaps(faces: np.ndarray, owners: np.ndarray, pieces: gpd.GeoDataFrame, before: gpd.GeoDataFrame) -> None:
    """Close slivers, and assign other gaps inside `before` to approximate neighbours; changes `owners` in place."""
    gaps = np.flatnonzero(owners == NOBODY)
    if not len(gaps):
        return
    thin = np.zeros(len(faces), dtype=bool)
    thin[gaps] = measure_width(faces[gaps]) <= SLIVER
    fill_gaps(faces, owners, thin, np.arange(len(pieces)))
    unowned = owners == NOBODY
    inner = shapely.point_on_surface(faces[unowned])
    land = np.unique(shapely.STRtree(inner).query(before.geometry.to_numpy(), "intersects")[1])
    between = np.zeros(len(faces), dtype=bool)
    between[np.flatnonzero(unowned)[land]] = True
    fill_gaps(faces, owners, between, np.flatnonzero(pieces["approximate"]))


def _list_other_areas(
    official: dict[str, BaseGeometry], table: pd.DataFrame, with_shape: pd.Index
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the other areas of the file's countries, as two lists: with a shape, without a shape."""
    countries = set(table.loc[[*official], "country"])
    smallest = (table["level"] == "municipality") & table["counted"]
    codes = table.index[smallest & table["country"].isin(countries)].difference([*official])
    return tuple(codes[codes.isin(with_shape)]), tuple(codes[~codes.isin(with_shape)])


def _describe_unmatched(rows: Sequence[Unmatched]) -> str:
    """Return a sentence that lists the rows left out, one of which may be a missing area; empty if there are none."""
    if not rows:
        return ""
    listed = [f"row {row.row}, {row.name}: {row.reason.rstrip('.')}" for row in rows]
    return f" Rows of the file that were not matched: {shorten(listed, _NAMED_PAIRS, '; ')}."


def _write(cells: gpd.GeoDataFrame, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    frame = cells.reset_index().set_geometry("imported", crs=cells.crs).set_geometry("geometry")
    with replacing(target) as aside:
        frame.to_parquet(aside, compression="zstd")
