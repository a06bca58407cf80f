"""Official boundaries in place of the approximate ones, in one workspace.

The file's rows are matched to areas; what overlaps by more than slivers is refused, slivers are
repaired, and the shapes of both countries are joined to one coverage. Areas that the file does not
hold keep what they had, cut back to what the new shapes leave of it.
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
from data.workspace.files import replacing
from geo.areas import BOUNDARIES, load_areas, read_cells
from geo.boundaries.coverage import NOBODY, cut_faces, dissolve_faces, fill_gaps, measure_width, project_to_metres
from geo.boundaries.file import read_boundaries
from geo.boundaries.matching import Columns, Unmatched, find_columns, match_rows
from geo.places import Places, list_predecessors

UNNAMED = "Boundaries imported, source not named"
SLIVER = 1000.0  # metres: boundaries simplified one by one cross each other by less than this
_SLIVER_SHARE = 0.25  # of the smaller area: more is no sliver, however thin
_REMAINS = 0.5  # of an old shape must remain for it to be kept beside new ones
_NAMED_PAIRS = 5


@dataclass(frozen=True)
class Split:
    """A municipality that the file holds in the parts of 2019; it took the shape of their union."""

    code: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class BoundaryReport:
    """What an import did.

    `matched`: codes of areas that took a shape from the file; `unmatched`: rows left out;
    `split`: those among the matched that were joined from parts; `kept`: codes of the same
    countries that keep the shape they had; `missing`: those without any shape; `repaired`: how
    many slivers were closed; `columns`: where codes and names were read.
    """

    matched: tuple[str, ...]
    unmatched: tuple[Unmatched, ...]
    split: tuple[Split, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...]
    repaired: int
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
    """Take the boundaries of municipalities from a file into a workspace, as one step.

    `orphan_check` holds the codes of areas in which records stand: a file that would leave one of
    them without the shape it has is refused. `country` ("AL", "GR") narrows the reading of names.
    `credit` says whose boundaries they are and on what terms; without it all that shows them says that
    their source is not named.
    Raises AreaError, with the remedy and nothing changed, for a file that cannot be used.
    """
    path = Path(path)
    _check_country(country, areas_table)
    frame = read_boundaries(path)
    places = Places(areas_table)
    columns = find_columns(frame, places, country, code_column, name_column)
    regions = load_areas().frame("region").geometry
    rows, unmatched = match_rows(frame, columns, places, areas_table, regions, country)
    official = _by_area(frame.geometry, rows)
    _refuse_overlaps(official, places)
    official, split, partial = _join_successors(official, rows, areas_table, places)
    if not official:
        msg = f"No row of {path.name} is a municipality that is known. {_first(unmatched)}"
        raise AreaError(msg)
    target = Path(workspace_areas) / BOUNDARIES
    before = read_cells(target if target.exists() else None)
    after, repaired = _joined(official, before, credit or UNNAMED)
    touched = _touched(official, areas_table, after.index)
    left_out = sorted([*unmatched, *partial], key=lambda row: row.row)
    _refuse_orphans(before.index, after.index, set(orphan_check), places, left_out)
    _write(after, target)
    return BoundaryReport(tuple(sorted(official)), tuple(left_out), split, *touched, repaired, columns)


def _check_country(country: str | None, table: pd.DataFrame) -> None:
    known = sorted(table.index[table["level"] == "country"])
    if country is not None and country not in known:
        msg = f"{country!r} is no country of this product; give one of {', '.join(known)}."
        raise AreaError(msg)


def _by_area(shapes: gpd.GeoSeries, rows: dict[int, str]) -> dict[str, BaseGeometry]:
    """Unite the rows of each area: islands are often rows of their own."""
    groups: dict[str, list[BaseGeometry]] = {}
    for row, code in rows.items():
        groups.setdefault(code, []).append(shapes[row])
    return {code: shapely.union_all(groups[code]) for code in sorted(groups)}


def _refuse_overlaps(official: dict[str, BaseGeometry], places: Places) -> None:
    """Refuse areas that overlap by more than a sliver: wide, or much of the smaller area."""
    codes = list(official)
    shapes = np.array([official[code] for code in codes])
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    common = shapely.intersection(shapes[one], shapes[other])
    size = shapely.area(project_to_metres(shapes))
    share = shapely.area(project_to_metres(common)) / np.minimum(size[one], size[other])
    bad = np.flatnonzero((share > _SLIVER_SHARE) | (measure_width(common) > SLIVER))
    if not len(bad):
        return
    worst = sorted(bad, key=lambda pair: -share[pair])
    pairs = [f"{places.label(codes[one[p]])} and {places.label(codes[other[p]])}" for p in worst]
    more = f"; and {len(pairs) - _NAMED_PAIRS} more" if len(pairs) > _NAMED_PAIRS else ""
    msg = (
        f"Areas overlap: {'; '.join(pairs[:_NAMED_PAIRS])}{more}. An area may stand only once;"
        " correct these in QGIS (or leave out the parts that stand beside their whole)."
    )
    raise AreaError(msg)


def _join_successors(
    official: dict[str, BaseGeometry], rows: dict[int, str], table: pd.DataFrame, places: Places
) -> tuple[dict[str, BaseGeometry], tuple[Split, ...], list[Unmatched]]:
    """Give a predecessor the union of its parts of 2019 when the file holds all of them."""
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
        found = {row: part for row, part in rows.items() if part in parts}
        partial += [Unmatched(row, places.label(part), reason) for row, part in found.items()]
    return joined, tuple(split), partial


def _joined(official: dict[str, BaseGeometry], before: gpd.GeoDataFrame, origin: str) -> tuple[gpd.GeoDataFrame, int]:
    """Join the new shapes with what was there before to one coverage of both countries."""
    others = _others(official, before)
    new = pd.DataFrame({"approximate": False, "boundaries": _credit(origin)}, index=[*official])
    new = gpd.GeoDataFrame(new, geometry=[*official.values()], crs=before.crs)
    new = new.assign(imported=new.geometry)
    pieces = pd.concat([_small_first(new), _small_first(others)])
    faces, owners, pieces = _kept(pieces, len(new))
    gaps = owners == NOBODY
    _close(faces, owners, pieces, before)
    shapes = dissolve_faces(faces, owners)
    joined = pieces.iloc[sorted(shapes)].sort_index()
    numbers = {code: number for number, code in enumerate(pieces.index)}
    joined = joined.set_geometry([shapes[numbers[code]] for code in joined.index], crs=before.crs)
    if not shapely.coverage_is_valid(joined.geometry.to_numpy()):
        msg = f"The boundaries of {origin} could not be made to meet. Repair them in QGIS first."
        raise AreaError(msg)
    return joined.rename_axis("code"), int((gaps & (owners != NOBODY)).sum())


def _others(official: dict[str, BaseGeometry], before: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return what stands beside the new shapes: imported ones as they came, else the cells.

    Cells are taken whole again, since an earlier import may have cut them.
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


def _small_first(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Order by approximate, then size: an overlap goes to whom it means more."""
    size = pd.Series(shapely.area(frame.geometry.to_numpy()), index=frame.index)
    order = np.lexsort((frame.index, size, frame["approximate"]))
    return frame.iloc[order]


def _kept(pieces: gpd.GeoDataFrame, new: int) -> tuple[np.ndarray, np.ndarray, gpd.GeoDataFrame]:
    """Cut all into faces; old shapes of which too little would remain are left out."""
    faces, owners = cut_faces(pieces.geometry.to_numpy())
    owned = owners != NOBODY
    size = np.bincount(owners[owned], shapely.area(faces)[owned], minlength=len(pieces))
    remains = size / shapely.area(pieces.geometry.to_numpy())
    keep = (np.arange(len(pieces)) < new) | (remains >= _REMAINS)
    if keep.all():
        return faces, owners, pieces
    return _kept(pieces[keep], new)


def _close(faces: np.ndarray, owners: np.ndarray, pieces: gpd.GeoDataFrame, before: gpd.GeoDataFrame) -> None:
    """Close slivers, and give approximate neighbours what new boundaries leave between them."""
    gaps = np.flatnonzero(owners == NOBODY)
    if not len(gaps):
        return
    thin = np.zeros(len(faces), dtype=bool)
    thin[gaps] = measure_width(faces[gaps]) <= SLIVER
    fill_gaps(faces, owners, thin, np.arange(len(pieces)))
    left = owners == NOBODY
    inner = shapely.point_on_surface(faces[left])
    land = np.unique(shapely.STRtree(inner).query(before.geometry.to_numpy(), "intersects")[1])
    between = np.zeros(len(faces), dtype=bool)
    between[np.flatnonzero(left)[land]] = True
    fill_gaps(faces, owners, between, np.flatnonzero(pieces["approximate"]))


def _touched(
    official: dict[str, BaseGeometry], table: pd.DataFrame, shown: pd.Index
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the other areas of the file's countries: those with a shape, those without."""
    countries = set(table.loc[[*official], "country"])
    smallest = (table["level"] == "municipality") & table["counted"]
    codes = table.index[smallest & table["country"].isin(countries)].difference([*official])
    return tuple(codes[codes.isin(shown)]), tuple(codes[~codes.isin(shown)])


def _refuse_orphans(
    before: pd.Index, after: pd.Index, in_use: set[str], places: Places, left_out: Sequence[Unmatched]
) -> None:
    lost = sorted(in_use & set(before.difference(after)))
    if lost:
        names = "; ".join(map(places.label, lost))
        msg = (
            f"Records stand in areas that these boundaries leave no room for: {names}."
            f" Add them to the file, or give a file that has them.{_not_matched(left_out)}"
        )
        raise AreaError(msg)


def _not_matched(rows: Sequence[Unmatched]) -> str:
    """List the rows that were left out: what records need may be among them under another name."""
    if not rows:
        return ""
    listed = "; ".join(f"row {row.row}, {row.name}: {row.reason.rstrip('.')}" for row in rows[:_NAMED_PAIRS])
    more = f"; and {len(rows) - _NAMED_PAIRS} more" if len(rows) > _NAMED_PAIRS else ""
    return f" Rows of the file that were not matched: {listed}{more}."


def _write(cells: gpd.GeoDataFrame, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    frame = cells.reset_index().set_geometry("imported", crs=cells.crs).set_geometry("geometry")
    with replacing(target) as aside:
        frame.to_parquet(aside, compression="zstd")


def _credit(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _first(unmatched: list[Unmatched]) -> str:
    return f"Row {unmatched[0].row}: {unmatched[0].reason}" if unmatched else ""
