"""Travel times between areas, in minutes, for the people who live there.

The times of areas come from times between places: the main town of each municipality. A region's times are those of its
people: the mean over its municipalities by population, to its seat, the municipality from which its people are nearest.

By default a time between two places is that of the shortest way from settlement to settlement. Each hop is a straight
line times a detour factor, at one speed. The factor grows with how empty the land along the hop is: where nobody lives
is a mountain or a bay, and the road goes around it. Times of a
road network (`tact travel`) replace the default, and measured times from a file replace both for single pairs. Places
that are not connected over land are joined by ferries that someone enters with their source; the table of ferries is
empty at first. Without a ferry, such a pair keeps the default and is marked as provisional.

Both tables are CSV files in UTF-8 with a heading:

    from,to,minutes[,source]        codes of areas; a pair is valid in both directions unless both are listed

A measured time from an area to itself is that of its people to its seat. For ferries `minutes` includes waiting,
boarding and the crossing, and `source` is required.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import InputError
from data.reference import figures, settlement_table
from data.workspace.small_tables import Row, read_rows
from data.workspace.types import Bools, Floats, Ints
from geo.areas import Areas

_EARTH_KM = 6371.0088  # mean radius (IUGG)
_COLUMNS = ("from", "to", "minutes")
_MOST = 7 * 24 * 60.0  # a week
_NEVER = 1e9
_STREAM = 80  # of random numbers, so that those of need are others

KM_PER_HOUR = 50.0
# Detour factor of a hop: exp(base + slope times the mean km from its line to the nearest small town), calibrated on
# half of the published road distances; tests/geo/test_detour.py judges it on the rest. docs/planner.md (80), (87).
DETOUR_BASE, DETOUR_SLOPE, DETOUR_MOST = 0.054, 0.032, 2.5
SMALL_TOWN = 1000  # inhabitants
DENSITY = 5000.0  # people per km2 of a town
# Standard deviations of the logarithm of a time: of the detour, from the calibration, and of the speed, an assumption.
DETOUR_SPREAD, SPEED_SPREAD = 0.1, 0.2
_SAMPLES = 21  # points of a line
_CELL_KM, _MARGIN = 2.0, 50  # of the grid: size of a cell, and cells around the towns
_CELLS_PER_DEGREE = 111.195 / _CELL_KM * np.array([np.cos(np.radians(39.0)), 1.0])


@dataclass(frozen=True)
class Link:
    """A measured or entered time in minutes, from the area with the code `start` to the area with the code `end`."""

    start: str
    end: str
    minutes: float
    source: str = ""


@dataclass(frozen=True, eq=False)
class RoadTimes:
    """Times between places along the roads and ferries of a map file.

    codes : of the places. minutes : from each place (row) to each (column), (P, P), on the diagonal from the people of
    the place to it; nan where there is no way. source : the file. day : of its data, as ISO.
    """

    codes: tuple[str, ...]
    minutes: Floats
    source: str
    day: str

    SPREAD: ClassVar = 0.1  # of the logarithm of a time

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> RoadTimes:
        """Read what `describe` returned."""
        minutes = np.array(
            [[np.nan if cell is None else cell for cell in row] for row in values["minutes"]], dtype=float
        )
        return cls(tuple(values["codes"]), minutes, str(values["source"]), str(values["day"]))

    def describe(self) -> dict[str, Any]:
        """Return the times as plain values for a manifest: whole minutes, from one on, None where there is no way."""
        rows = [[round(cell) if np.isfinite(cell) else None for cell in row] for row in self.minutes.tolist()]
        return {"codes": list(self.codes), "minutes": rows, "source": self.source, "day": self.day}


@dataclass(frozen=True, eq=False)
class Travel:
    """Minutes between the areas of one level; A is the number of these areas.

    minutes : from the seat of each area (row) to that of each (column), (A, A); 0 on the diagonal; inf where an area
        has no place and no link gives a time.
    people : mean minutes from the people of each area (row) to the seat of each (column), (A, A), of those who have a
        way; docs/planner.md eq. (81).
    reached : share of the people of each area (row) who have a way to the seat of each (column), by land, by road data,
        or by an entered ferry or time, (A, A); eq. (82).
    entered : true where the time is an uploaded one, (A, A); the times of ferries do not count as such.
    spread : standard deviation of the logarithm of each time, (A, A); eq. (83).
    seats : code of the municipality that is the seat of each area.
    """

    codes: tuple[str, ...]
    minutes: Floats
    people: Floats
    reached: Floats
    entered: Bools
    spread: Floats
    seats: tuple[str, ...]

    @classmethod
    def between(
        cls,
        areas: Areas,
        level: str,
        uploaded: Iterable[Link] = (),
        ferries: Iterable[Link] = (),
        roads: RoadTimes | None = None,
    ) -> Travel:
        """Compute the times between regions or municipalities, docs/planner.md eq. (1), (4) and (80) to (83).

        Times in `uploaded` replace the computed ones. `ferries` join places that are not connected over land; a ferry
        of a region is one of its seat. Raises InputError if a link names an area that is not known, and AreaError for
        an unknown level.
        """
        places, uploaded, ferries = _Places.read(areas), tuple(uploaded), tuple(ferries)
        ways, spread = places.find_land_ways(roads)
        regions = _Members.find(areas, "region", places, ways)
        here = regions if level == "region" else _Members.find(areas, level, places, ways)
        towns = {code: i for i, code in enumerate(places.codes)}
        ports = dict(zip(regions.codes, regions.seat.tolist(), strict=True)) | towns
        for link in (*uploaded, *ferries):
            _check_codes(ports, link.start, link.end)
        ways = _add_ferries(ways, _link_matrix(ports, len(towns), ferries))
        measured = _link_matrix(towns, len(towns), uploaded)
        ways, spread = np.where(np.isnan(measured), ways, measured), np.where(np.isnan(measured), spread, 0.0)
        rows = {code: i for i, code in enumerate(here.codes)}
        return here.average(places, ways, spread).replace_times(_link_matrix(rows, len(rows), uploaded))

    @property
    def inside(self) -> Floats:
        """Mean minutes from the people of each area to its seat, (A,)."""
        return np.diag(self.people)

    @property
    def provisional(self) -> Bools:
        """Where less than half of the people of an area (row) have a way to the seat of another or its own, (A, A)."""
        return np.asarray((self.reached < 0.5) & np.isfinite(self.people))

    def replace_times(self, entered: Floats) -> Travel:
        """Return these times with entered ones, (A, A), nan where there is none."""
        known = np.isfinite(entered)
        return Travel(
            self.codes,
            np.where(known & ~np.eye(len(known), dtype=bool), entered, self.minutes),
            np.where(known, entered, self.people),
            np.where(known, 1.0, self.reached),
            known,
            np.where(known, 0.0, self.spread),
            self.seats,
        )

    def draw_people(self, size: int, seed: int) -> Floats:
        """Draw the minutes from people to seats, (size, A, A), docs/planner.md eq. (83).

        What is uncertain about the speed is common to all ways of a draw, what is uncertain about a road is its own.
        """
        rng, count = np.random.default_rng([seed, _STREAM]), len(self.codes)
        single = np.triu(rng.standard_normal((size, count, count)))
        single += np.triu(single, 1).transpose(0, 2, 1)
        share = SPEED_SPREAD**2 / (SPEED_SPREAD**2 + DETOUR_SPREAD**2)
        common = rng.standard_normal((size, 1, 1))
        shift = np.sqrt(share) * common + np.sqrt(1.0 - share) * single
        drawn: Floats = self.people * np.exp(self.spread * shift)
        return drawn

    def select(self, codes: Sequence[str]) -> Travel:
        """Return the times between the areas `codes`, in this order; raise InputError for an unknown code."""
        _check_codes(self.codes, *codes)
        order = np.array([self.codes.index(code) for code in codes], dtype=np.int64)
        square, tables = np.ix_(order, order), (self.minutes, self.people, self.reached, self.spread)
        seats = tuple(self.seats[i] for i in order)
        minutes, people, reached, spread = (table[square] for table in tables)
        return Travel(tuple(codes), minutes, people, reached, self.entered[square], spread, seats)


@dataclass(frozen=True, eq=False)
class _Places:
    """The main town of each municipality, and of each region without one; P is their number.

    region_of : code of the region, (P,). people : inhabitants, (P,); 1 where no figure is known. straight : the default
    minutes whatever lies between, (P, P); on the diagonal from the people of the place to it. part : number of the
    stretch of land on which it lies, (P,).
    """

    codes: tuple[str, ...]
    region_of: NDArray[Any]
    people: Floats
    straight: Floats
    part: Ints

    @classmethod
    def read(cls, areas: Areas) -> _Places:
        """Read the places of the areas."""
        codes, points = locate_places(areas)
        straight = estimate_ways(points)
        np.fill_diagonal(straight, _estimate_inside(codes, points))
        parents = areas.table["parent"].where(areas.table["level"] == "municipality", areas.table.index)
        region_of = parents.reindex(list(codes)).to_numpy(dtype=object)
        return cls(codes, region_of, read_population(codes), straight, _number_land_masses(areas, codes, points))

    def find_land_ways(self, roads: RoadTimes | None) -> tuple[Floats, Floats]:
        """Return the minutes between places by road data or over land, (P, P), inf where none, and their spread."""
        joined = (self.part[:, None] == self.part) & np.isfinite(self.straight)
        ways = np.where(joined, self.straight, np.inf)
        spread = np.full_like(ways, np.hypot(DETOUR_SPREAD, SPEED_SPREAD))
        if roads is not None:
            place = {code: i for i, code in enumerate(roads.codes)}
            rows = np.array([place.get(code, -1) for code in self.codes])
            measured = np.where((rows[:, None] >= 0) & (rows >= 0), roads.minutes[np.ix_(rows, rows)], np.nan)
            known = np.isfinite(measured)
            ways, spread = np.where(known, measured, ways), np.where(known, roads.SPREAD, spread)
        return ways, spread


@dataclass(frozen=True, eq=False)
class _Members:
    """The places of the areas of a level: their share of its people, (A, P), and the place that is its seat, (A,)."""

    codes: tuple[str, ...]
    share: Floats
    seat: Ints

    @classmethod
    def find(cls, areas: Areas, level: str, places: _Places, ways: Floats) -> _Members:
        """Return the members of each area, and its seat.

        From the seat as many people as can be are reached, and soonest. ways : minutes over land, (P, P).
        """
        codes = tuple(str(code) for code in areas.frame(level).index)
        label = places.region_of if level == "region" else np.array(places.codes, dtype=object)
        inside = label == np.array(codes, dtype=object)[:, None]
        people = np.where(inside, places.people, 0.0)
        share = people / people.sum(axis=1, keepdims=True)
        seat = np.where(inside, share @ np.minimum(ways, _MOST), np.inf).argmin(axis=1)
        return cls(codes, share, np.asarray(seat))

    def average(self, places: _Places, ways: Floats, spread: Floats) -> Travel:
        """Return the times of the areas, from those between places, (P, P); docs/planner.md eq. (81) and (82)."""
        known = np.isfinite(ways[:, self.seat])
        reached = np.minimum(self.share @ known, 1.0)
        default = self.share @ np.minimum(np.nan_to_num(places.straight[:, self.seat], nan=np.inf), _NEVER)
        people = self.share @ np.where(known, ways[:, self.seat], 0.0)
        people = np.divide(people, reached, out=np.where(default < _NEVER / 2.0, default, np.inf), where=reached > 0.0)
        between = np.ix_(self.seat, self.seat)
        minutes = np.where(np.isfinite(ways), ways, np.nan_to_num(places.straight, nan=np.inf))[between]
        np.fill_diagonal(minutes, 0.0)
        seats = tuple(places.codes[i] for i in self.seat)
        return Travel(self.codes, minutes, people, reached, np.zeros_like(known[: len(seats)]), spread[between], seats)


def estimate_ways(points: Floats) -> Floats:
    """Estimate the minutes over land between all points (lon, lat), (P, 2), by way of settlements, (P, P).

    A hop joins points or settlements that are neighbours (Delaunay), docs/planner.md eq. (87); nan for a missing point.
    """
    known = np.isfinite(points).all(axis=1)
    ways = np.full((len(points), len(points)), np.nan)
    ways[np.ix_(known, known)] = _find_shortest_ways(points[known].tobytes())
    return ways


@lru_cache(maxsize=4)
def _find_shortest_ways(points: bytes) -> Floats:
    """Return the minutes of `estimate_ways` between points that are all known; a plan asks for the same ones often."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra
    from scipy.spatial import Delaunay

    places = np.frombuffer(points).reshape(-1, 2)
    settlements = settlement_table()[["lon", "lat"]].to_numpy(dtype=float)
    spots, number = np.unique(np.concatenate([places, settlements]), axis=0, return_inverse=True)
    corners = Delaunay(spots * _CELLS_PER_DEGREE).simplices
    start, end = np.unique(np.sort(corners[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2)), axis=0).T
    hops = coo_array((estimate_minutes(spots[start], spots[end]), (start, end)), shape=(len(spots),) * 2)
    inner = number[: len(places)]
    ways = dijkstra(hops.tocsr(), directed=False, indices=inner)[:, inner]
    return np.asarray(np.maximum(ways, ways.T))  # the last digit may depend on the direction


def estimate_minutes(start: Floats, end: Floats) -> Floats:
    """Estimate the minutes of one hop over land between points, as `estimate_detours` takes them; eq. (2)."""
    return np.asarray(60.0 * compute_distances(start, end) * estimate_detours(start, end) / KM_PER_HOUR)


def estimate_detours(start: Floats, end: Floats) -> Floats:
    """Estimate the ratio of road to straight line between points (lon, lat) in degrees, docs/planner.md eq. (80).

    start, end : points, (..., 2), of shapes that broadcast; the result has their common shape, (...).
    """
    grid, corner = _measure_emptiness()
    first, last = (np.nan_to_num(points * _CELLS_PER_DEGREE - corner) for points in (start, end))
    empty: Floats = np.zeros(())
    for share in (np.arange(_SAMPLES) + 0.5) / _SAMPLES:
        cell = ((1.0 - share) * first + share * last).astype(int)
        empty = empty + grid[tuple(np.clip(cell[..., axis], 0, grid.shape[axis] - 1) for axis in (0, 1))] / _SAMPLES
    return np.asarray(np.clip(np.exp(DETOUR_BASE + DETOUR_SLOPE * empty), 1.0, DETOUR_MOST))


@lru_cache(maxsize=1)
def _measure_emptiness() -> tuple[Floats, Floats]:
    """Return the km from each cell of a grid to the nearest small town, and the cell of its south-western corner."""
    from scipy.ndimage import distance_transform_edt

    table = settlement_table()
    towns = table.loc[table["population"] >= SMALL_TOWN, ["lon", "lat"]].to_numpy(dtype=float) * _CELLS_PER_DEGREE
    corner = towns.min(axis=0) - _MARGIN
    x, y = (towns - corner).astype(int).T
    empty = np.ones((x.max() + _MARGIN, y.max() + _MARGIN), dtype=bool)
    empty[x, y] = False
    return np.asarray(_CELL_KM * distance_transform_edt(empty)), corner


def compute_distances(start: Floats, end: Floats) -> Floats:
    """Compute great-circle distances in km between points (lon, lat) in degrees, (..., 2), of shapes that broadcast.

    Haversine, docs/planner.md eq. (1), with the mean radius of the earth; nan where a point is missing.
    """
    (lon, lat), (east, north) = (np.moveaxis(np.radians(points), -1, 0) for points in (start, end))
    across = np.sin((lon - east) / 2.0) ** 2 * (np.cos(lat) * np.cos(north))
    along = np.sin((lat - north) / 2.0) ** 2
    return np.asarray(2.0 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(along + across, 0.0, 1.0))))


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
    if sources and row["from"] == row["to"]:
        raise row.fault(f"a ferry from {row['from']} to the same area is no way. Name the two ports' areas.")
    if sources and not row["source"]:
        raise row.fault("the ferry has no source. Write in column source where the time comes from.")
    try:
        value = float(row["minutes"])
    except ValueError:
        value = np.nan
    if not 0.0 < value <= _MOST:
        raise row.fault(
            f"{row['minutes']!r} in column minutes is not a valid time. Write minutes above 0 and at most "
            f"{_MOST:.0f}, with a decimal point."
        )
    return Link(row["from"], row["to"], value, row["source"])


def _check_codes(known: Collection[str], *codes: str) -> None:
    for code in codes:
        if code not in known:
            raise InputError(f"Travel to {code!r} is not known. Use a code from the table of areas.")


def locate_places(areas: Areas) -> tuple[tuple[str, ...], Floats]:
    """Return the codes of all municipalities, and of regions without one, and their main towns, (P, 2), in degrees.

    Without a settlement it is the centre of the shape.
    """
    towns, regions = areas.frame("municipality"), areas.frame("region")
    codes = (*map(str, towns.index), *(str(code) for code in regions.index if code not in set(towns["parent"])))
    main = settlement_table().drop_duplicates("code").set_index("code")[["lon", "lat"]]  # the largest comes first
    for level in ("municipality", "region"):
        centres = areas.centres(level)
        main = pd.concat([main, centres[~centres.index.isin(main.index)]])
    return codes, main.reindex(list(codes)).to_numpy(dtype=float)


def _estimate_inside(codes: tuple[str, ...], points: Floats) -> Floats:
    """Estimate the mean minutes of the people of each place to it, (P,), docs/planner.md eq. (3).

    A settlement is a disc of DENSITY people per km2; a place without a settlement has nobody who must travel.
    """
    table = settlement_table()
    table = table[table["code"].isin(codes)]
    towns = pd.DataFrame(points, index=list(codes)).loc[table["code"]].to_numpy(dtype=float)
    people = weigh_settlements(table)
    disc = 60.0 * np.exp(DETOUR_BASE) * 2.0 / 3.0 * np.sqrt(people / DENSITY / np.pi) / KM_PER_HOUR
    minutes = estimate_minutes(table[["lon", "lat"]].to_numpy(dtype=float), towns) + disc
    sums = pd.DataFrame({"code": table["code"], "people": people, "all": people * minutes}).groupby("code").sum()
    inside: Floats = (sums["all"] / sums["people"]).reindex(list(codes)).fillna(0.0).to_numpy(dtype=float)
    return inside


def weigh_settlements(table: pd.DataFrame) -> Floats:
    """Return the people of each settlement, (n,); at least 100, where GeoNames knows of fewer or does not know."""
    people: Floats = table["population"].fillna(0.0).to_numpy(dtype=float)
    return np.maximum(people, 100.0)


def read_population(codes: tuple[str, ...]) -> Floats:
    """Return the last published population of each place, (P,); 1 where there is none."""
    table = figures()
    last = table[table["measure"] == "population"].sort_values("period").groupby("area")["number"].last()
    people: Floats = last.reindex(list(codes)).to_numpy(dtype=float)
    return np.fmax(people, 1.0)


def _number_land_masses(areas: Areas, codes: tuple[str, ...], points: Floats) -> Ints:
    """Return for each place the index of the land mass on which it lies, counted from 0, shape (P,).

    A municipality without a shape lies where its main town does; a region without a municipality is with the regions
    that it touches.
    """
    mass = {code: number for number, group in enumerate(areas.parts("municipality")) for code in group}
    missing = set(areas.missing("municipality"))
    numbers: list[int] = []
    for code, (lon, lat) in zip(codes, points, strict=True):
        spot = areas.locate(lat, lon, "municipality") if code in missing else code
        numbers.append(mass.get(spot or code, len(mass) + len(numbers)))
    regions = {str(region) for region in areas.frame("region").index}
    first_of = {str(areas.table.loc[code, "parent"]): number for code, number in zip(codes, numbers, strict=True)}
    for i, code in enumerate(codes):
        if code in regions:
            near = [b if a == code else a for a, b in areas.neighbours("region") if code in (a, b)]
            numbers[i] = first_of.get(near[0], numbers[i]) if near else numbers[i]
    return np.array(numbers, dtype=np.int64)


def _add_ferries(ways: Floats, ferries: Floats) -> Floats:
    """Return the minutes by land, and where no land joins two places, those by land and ferries, (P, P); eq. (4)."""
    from scipy.sparse.csgraph import shortest_path

    legs = ways.copy()
    np.fill_diagonal(legs, 0.0)
    ports = np.flatnonzero(np.isfinite(ferries).any(axis=0))
    between = np.ix_(ports, ports)
    crossing = np.asarray(shortest_path(np.fmin(legs, ferries)[between], method="FW"))
    through = np.full_like(ways, np.inf)
    for port, minutes in zip(ports, crossing, strict=True):
        through = np.minimum(through, legs[:, [port]] + (minutes[:, None] + legs[ports]).min(axis=0))
    joined: Floats = np.where(np.isfinite(ways), ways, through)
    return joined


def _link_matrix(place: Mapping[str, int], size: int, links: Iterable[Link]) -> Floats:
    """Return the minutes of links, (n, n), nan where there is none; the time back is the same unless listed.

    place : the row of each code; links of other codes are left out.
    """
    minutes = np.full((size, size), np.nan)
    for link in links:
        if link.start in place and link.end in place:
            minutes[place[link.start], place[link.end]] = link.minutes
    return np.where(np.isnan(minutes), minutes.T, minutes)
