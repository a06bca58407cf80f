"""Match the rows of a boundary file to areas: by code, by name and by location.

If a code or name could mean two areas, the region in which the row lies decides; otherwise the row is not matched and
the reason is reported. Only Mount Athos, whose region is well known, is matched by location alone; the approximate
cells of municipalities would mislead.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.errors import AreaError
from data.reference import list_predecessors
from geo.places import Places

_MOUNT_ATHOS = "GR-69"
_MOSTLY, _NEARLY_ALL = 0.5, 0.8
_ENOUGH = 0.5  # of a column's texts must be known for the column to be taken


@dataclass(frozen=True)
class Columns:
    """The columns that identify the area of a row: at most one with codes, any number with names."""

    code: str | None
    names: tuple[str, ...]


@dataclass(frozen=True)
class Unmatched:
    """A row that was left out: its number (from 1), its name in the file, and the reason."""

    row: int
    name: str
    reason: str


def find_columns(
    frame: gpd.GeoDataFrame, places: Places, country: str | None, code: str | None = None, name: str | None = None
) -> Columns:
    """Find the columns of codes and names by their content, unless the caller names them.

    Raises AreaError when nothing is recognised or a named column does not exist.
    """
    texts = {str(c): _texts(frame[c]) for c in frame.columns if c != frame.geometry.name}
    for column in (code, name):
        if column is not None and column not in texts:
            raise AreaError(f"There is no column {column!r}. The columns are: {', '.join(texts)}.")
    coded = {c: _share(t, lambda v: bool(_coded(places, v))) for c, t in texts.items()}
    named = {c: _share(t, lambda v: bool(places.find(v, country))) for c, t in texts.items()}
    code = code or max((c for c in coded if coded[c] >= _ENOUGH), key=lambda c: coded[c], default=None)
    by_share = sorted((c for c in named if c != code), key=lambda c: -named[c])
    names = (name,) if name else tuple(c for c in by_share if named[c] >= _ENOUGH)
    if code is None and not names:
        columns = ", ".join(texts) or "none"
        raise AreaError(
            f"No column has known codes or names of municipalities (columns: {columns})."
            " Name it with --name-column or --code-column; names may be in Latin or Greek letters."
        )
    return Columns(code, names)


def match_rows(
    frame: gpd.GeoDataFrame,
    columns: Columns,
    places: Places,
    table: pd.DataFrame,
    regions: gpd.GeoSeries,
    country: str | None,
) -> tuple[dict[int, str], list[Unmatched]]:
    """Return the area's code of each row that is matched, by the number of the row, and the rows that are not matched.

    `regions` holds the shapes of regions. Like `frame`, it is in EPSG:4326.
    """
    matcher = _RowMatcher(places, table, regions, country)
    headings = [c for c in (columns.code, *columns.names) if c]
    texts = pd.DataFrame({c: _texts(frame[c]) for c in headings}, index=frame.index)
    matched: dict[int, str] = {}
    unmatched: list[Unmatched] = []
    for number, row in texts.iterrows():
        named = [row[c] for c in columns.names if row[c]]
        coded = row[columns.code] if columns.code else ""
        code, reason = matcher.read(coded, named, frame.geometry[number])
        if code:
            matched[int(str(number))] = code
        else:
            label = next(iter([*named, coded]), "") or "(no name)"
            unmatched.append(Unmatched(int(str(number)), label, reason))
    return matched, unmatched


class _RowMatcher:
    """A matcher for one row at a time: by code or else by name, and Mount Athos also by location."""

    def __init__(self, places: Places, table: pd.DataFrame, regions: gpd.GeoSeries, country: str | None) -> None:
        self._places, self._regions, self._country = places, regions.dropna(), country
        self._older = list_predecessors(table)
        self._region = {
            str(code): str(code) if level == "region" else str(parent)
            for code, level, parent in zip(table.index, table["level"], table["parent"], strict=True)
        }

    def read(self, coded: str, named: list[str], shape: BaseGeometry | None) -> tuple[str, str]:
        """Return the area's code and an empty reason or, if the row matches no area, an empty code and the reason."""
        if shape is None:
            return "", "The row has no area. Draw it as a polygon, or leave it out."
        # The share of the row's area that lies in each region.
        inside = shapely.area(shapely.intersection(shape, self._regions.to_numpy())) / shape.area
        shares = {str(code): float(share) for code, share in zip(self._regions.index, inside, strict=True) if share > 0}
        by_code = _coded(self._places, coded)
        by_name = self._by_name(named)
        fits = by_code or by_name
        if not fits:
            return self._unknown(coded, named, shares)
        if by_code and by_name and not self._agree(by_code, by_name):
            return "", f"The code {coded!r} and the name {named[0]!r} mean different areas."
        here = {code for code in fits if self._may_lie(code, shares)}
        if len(here) > 1:
            here = {code for code in here if shares.get(self._region[code], 0.0) > _MOSTLY}
        if len(here) == 1:
            return here.pop(), ""
        return "", self._why_not(fits, shares, coded, named)

    def _by_name(self, named: list[str]) -> set[str]:
        """Return the codes that all known names share, or else the codes of the first known name."""
        matches = [codes for name in named if (codes := self._named(name))]
        common = set.intersection(*matches) if matches else set()
        return common or (matches[0] if matches else set())

    def _named(self, name: str) -> set[str]:
        municipalities = self._places.find(name, self._country)
        whole_regions = self._places.find(name, self._country, "region") & {_MOUNT_ATHOS}
        return municipalities or whole_regions

    def _agree(self, first: set[str], second: set[str]) -> bool:
        return bool({self._older.get(c, c) for c in first} & {self._older.get(c, c) for c in second})

    def _may_lie(self, code: str, shares: dict[str, float]) -> bool:
        """Return whether an area may match: the row is not mostly in other regions (small islands are in none)."""
        elsewhere = sum(s for region, s in shares.items() if region != self._region[code])
        return elsewhere <= _MOSTLY

    def _unknown(self, coded: str, named: list[str], shares: dict[str, float]) -> tuple[str, str]:
        if shares.get(_MOUNT_ATHOS, 0.0) >= _NEARLY_ALL:
            return _MOUNT_ATHOS, ""
        if named:
            return "", self._places.resolve(named[0], self._country).reason
        if coded:
            return "", f"{coded!r} is not a known area code."
        return "", "The row has neither a code nor a name."

    def _why_not(self, fits: set[str], shares: dict[str, float], coded: str, named: list[str]) -> str:
        text = coded if coded and not named else next(iter(named), coded)
        labels = "; ".join(self._places.label(code) for code in sorted(fits))
        if len(fits) > 1:
            return f"{text!r} may mean {len(fits)} areas, and the position on the map does not help: {labels}."
        home = max(shares, key=lambda region: shares[region])
        return f"{text!r} means {labels}, but the row lies in {self._places.label(home)}."


def _coded(places: Places, text: str) -> set[str]:
    return places.find_code(text) if text else set()


def _texts(column: pd.Series) -> pd.Series:
    return column.map(_text).astype("str")


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT:
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text.casefold() in {"null", "none", "nan", "<na>"} else text


def _share(texts: pd.Series, is_known: Callable[[str], bool]) -> float:
    distinct = [text for text in texts.unique() if text]
    return sum(map(is_known, distinct)) / len(distinct) if distinct else 0.0
