"""Travel times between areas, in minutes.

By default a time is the straight line between the centres of two areas times a detour factor, divided by one speed: a
rough estimate, and marked as such. Measured times from a file replace the default for single pairs. Areas that are not
connected over land are joined by ferries that someone enters with their source; the table of ferries is empty at first.
Without a ferry, such a pair keeps the default and is marked as provisional.

Both tables are CSV files in UTF-8 with a heading:

    from,to,minutes[,source]        codes of areas; a pair is valid in both directions unless both are listed

For ferries `minutes` includes waiting, boarding and the crossing, and `source` is required.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import InputError
from data.workspace.small_tables import Row, read_rows
from data.workspace.types import Bools, Floats, Ints
from geo.areas import Areas

_EARTH_KM = 6371.0088  # mean radius (IUGG)
_COLUMNS = ("from", "to", "minutes")
_MOST = 7 * 24 * 60.0  # a week


@dataclass(frozen=True)
class Speed:
    """The rule that turns a straight line into a time: `detour` times its length, at `km_per_hour`.

    Raises InputError for a detour below 1, a speed that is not above 0, or a value that is not finite.
    """

    detour: float = 1.3
    km_per_hour: float = 50.0

    def __post_init__(self) -> None:
        if not (1.0 <= self.detour < np.inf and 0.0 < self.km_per_hour < np.inf):
            raise InputError(
                f"No travel with a detour factor of {self.detour!r} at {self.km_per_hour!r} km an hour. "
                "Give a factor of 1 or more and a speed above 0."
            )

    def minutes(self, km: Floats) -> Floats:
        """Compute minutes from straight-line kilometres, an array of any shape; docs/planner.md eq. (2)."""
        return np.asarray(60.0 * self.detour * km / self.km_per_hour)


@dataclass(frozen=True)
class Link:
    """A measured or entered time in minutes, from the area with the code `start` to the area with the code `end`."""

    start: str
    end: str
    minutes: float
    source: str = ""


@dataclass(frozen=True, eq=False)
class Travel:
    """Minutes between the areas of one level; A is the number of these areas.

    minutes : from each area (row) to each (column), (A, A); 0 on the diagonal; inf where an area has no shape and
        no link gives a time.
    inside : mean minutes from the centre of each area to its people, as if the area were a disc, (A,); 0 where an area
        has no shape. See docs/planner.md eq. (3).
    provisional : true where the default is used for a route over water, (A, A).
    entered : true where the time is an uploaded one, (A, A); the times of ferries do not count as such.
    """

    codes: tuple[str, ...]
    minutes: Floats
    inside: Floats
    provisional: Bools
    entered: Bools

    @classmethod
    def between(
        cls,
        areas: Areas,
        level: str,
        speed: Speed | None = None,
        uploaded: Iterable[Link] = (),
        ferries: Iterable[Link] = (),
    ) -> Travel:
        """Compute the times between the areas of a level, docs/planner.md eq. (1) to (4).

        Times in `uploaded` replace the computed ones; `ferries` join areas that are not connected over land. Raises
        InputError if a link names an area that is not of this level, and AreaError for an unknown level.
        """
        pace, frame = speed or Speed(), areas.frame(level)
        codes = tuple(str(code) for code in frame.index)
        points = areas.centres(level).reindex(frame.index).to_numpy(dtype=float)
        straight = pace.minutes(compute_distances(points))
        part = _number_land_masses(areas, level, codes)
        minutes, provisional = _compute_land_and_ferry(straight, part, _link_matrix(codes, ferries))
        entered = _link_matrix(codes, uploaded)
        inside = pace.minutes(2.0 / 3.0 * np.sqrt(frame["km2"].to_numpy(dtype=float) / np.pi))
        known = np.isfinite(entered)
        return cls(
            codes,
            np.where(known, entered, minutes),
            np.where(np.isfinite(inside), inside, 0.0),
            np.asarray(provisional & ~known),
            np.asarray(known),
        )

    def to_people(self) -> Floats:
        """Return the minutes from the people of each area (row) to the centre of each area (column), (A, A).

        The diagonal is `inside`: a service is in the centre of its area, and people must travel to it.
        """
        same = np.eye(len(self.codes), dtype=bool)
        return np.where(same, self.inside[:, None], self.minutes)

    def select(self, codes: Sequence[str]) -> Travel:
        """Return the times between the areas `codes`, in this order; raise InputError for an unknown code."""
        order = np.array([_position(self.codes, code) for code in codes], dtype=np.int64)
        square = np.ix_(order, order)
        return Travel(
            tuple(codes), self.minutes[square], self.inside[order], self.provisional[square], self.entered[square]
        )


def compute_distances(points: Floats) -> Floats:
    """Compute great-circle distances in km, (n, n), between points (lon, lat) in degrees, (n, 2).

    Haversine, docs/planner.md eq. (1), with the mean radius of the earth; nan where a point is missing.
    """
    lon, lat = np.radians(points).T
    across = np.sin((lon[:, None] - lon) / 2.0) ** 2 * (np.cos(lat)[:, None] * np.cos(lat))
    along = np.sin((lat[:, None] - lat) / 2.0) ** 2
    km: Floats = 2.0 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(along + across, 0.0, 1.0)))
    return km


def read_links(path: Path, codes: Iterable[str], *, sources: bool = False) -> tuple[Link, ...]:
    """Read a table of times between areas; the docstring of this module describes its format.

    codes : the codes that the table may name. sources : whether each row needs a source.

    Raises FileRefused if the file is not such a table, and InputError that names the row, the fault and the remedy.
    Nothing is guessed, and no row of a faulty file is used.
    """
    known_areas, row_by_pair = set(codes), dict[tuple[str, str], int]()
    links = []
    for row in read_rows(path, _COLUMNS, ("source",)):
        link = _link(row, known_areas, sources=sources)
        pair = (link.start, link.end)
        if pair in row_by_pair:
            raise row.fault(
                f"{link.start} to {link.end} is already in row {row_by_pair[pair]}. Keep one of the two rows."
            )
        row_by_pair[pair] = row.number
        links.append(link)
    return tuple(links)


def _link(row: Row, known_areas: set[str], *, sources: bool) -> Link:
    for column in ("from", "to"):
        row.one_of(
            column,
            known_areas,
            ("not a known area. Write a code from the table of areas, such as AL-11, or delete the row."),
        )
    if row["from"] == row["to"]:
        raise row.fault(f"From {row['from']} to the same area needs no time. Delete the row.")
    if sources and not row["source"]:
        raise row.fault("the ferry has no source. Write in column source where the time comes from.")
    return Link(row["from"], row["to"], _minutes(row), row["source"])


def _minutes(row: Row) -> float:
    try:
        value = float(row["minutes"])
    except ValueError:
        value = np.nan
    if not 0.0 < value <= _MOST:
        raise row.fault(
            f"{row['minutes']!r} in column minutes is not a valid time. Write minutes above 0 and at most "
            f"{_MOST:.0f}, with a decimal point."
        )
    return value


def _position(codes: Sequence[str], code: str) -> int:
    try:
        return codes.index(code)
    except ValueError:
        raise InputError(f"Travel to {code!r} is not known. Use a code from the table of areas.") from None


def _link_matrix(codes: tuple[str, ...], links: Iterable[Link]) -> Floats:
    """Return the minutes of links, (A, A), nan where there is none; the time back is the same unless listed."""
    place = {code: number for number, code in enumerate(codes)}
    minutes = np.full((len(codes), len(codes)), np.nan)
    for link in links:
        if link.start not in place or link.end not in place:
            _position(codes, link.start if link.start not in place else link.end)
        minutes[place[link.start], place[link.end]] = link.minutes
    return np.where(np.isnan(minutes), minutes.T, minutes)


def _number_land_masses(areas: Areas, level: str, codes: tuple[str, ...]) -> Ints:
    """Return for each area the index of the land mass on which it lies, counted from 0, shape (A,)."""
    mass = {code: number for number, group in enumerate(areas.parts(level)) for code in group}
    return np.array([mass[code] for code in codes], dtype=np.int64)


def _compute_land_and_ferry(straight: Floats, part: Ints, ferries: Floats) -> tuple[Floats, Bools]:
    """Compute the minutes by land and ferry, and which routes over water have no ferry, both (A, A).

    The time is that of the shortest path through the graph of land routes and ferries, docs/planner.md eq. (4).
    Without a path it is that of the straight line, or inf where an area has no shape.
    """
    from scipy.sparse.csgraph import shortest_path

    by_land = part[:, None] == part
    open_ways = np.fmin(np.where(by_land & np.isfinite(straight), straight, np.inf), ferries)
    np.fill_diagonal(open_ways, 0.0)
    shortest = np.asarray(shortest_path(open_ways, method="FW")) if np.isfinite(ferries).any() else open_ways
    reached = np.isfinite(shortest)
    default = np.where(np.isfinite(straight), straight, np.inf)
    minutes: Floats = np.where(reached, shortest, default)
    np.fill_diagonal(minutes, 0.0)
    return minutes, np.asarray(~reached & np.isfinite(straight))
