"""Regions that are no single place, and the islands into which a plan divides them.

A team works where it is posted. In a region whose people live further apart than a working day allows, it
stands on one island and does not meet the children of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from geo.areas import Areas
from geo.travel import Travel, read_population

ONE_WAY = 240.0  # minutes: half of a working day of eight hours
_PART = "/"
LEAST = 0.01  # of the people of its region live on an island of its own; smaller ones belong to the largest
TOGETHER = 0.75  # of its people live within ONE_WAY of the seat of a region that is one place


@dataclass(frozen=True)
class Island:
    """A part of a region, named after its largest municipality: municipalities that a working day joins.

    code : of the largest municipality. members : codes of all, the largest first.
    """

    code: str
    region: str
    members: tuple[str, ...]

    @property
    def place(self) -> str:
        """Code of the island in a plan between regions: that of its region and its own, such as GR-L/9296."""
        return f"{self.region}{_PART}{self.code}"


def find_region(place: str) -> str:
    """Return the code of the region of a place of a plan: of an island, or of any other area, which is its own."""
    return place.partition(_PART)[0]


def find_town(place: str) -> str:
    """Return the code of the largest municipality of an island, and that of any other area as it is."""
    return place.rpartition(_PART)[2]


def choose_ways(places: Sequence[str], regions: Travel, towns: Travel) -> Travel:
    """Return the times between the places of a plan, some of them islands.

    regions, towns : travel times of both levels. Ways to an island lead to its largest municipality. A time that was
    entered for a region holds for each of its islands, but not between them.
    """
    land = np.array([find_region(place) for place in places])
    whole = regions.select(land.tolist())
    island = np.array(list(places)) != land
    seats = [find_town(place) if i else seat for place, i, seat in zip(places, island, whole.seats, strict=True)]
    single, apart = towns.select(seats), (land[:, None] == land) & ~np.eye(len(land), dtype=bool)
    of_regions = (~(island[:, None] | island) | whole.entered) & ~apart
    names = ("minutes", "people", "reached", "entered", "spread")
    tables = {name: np.where(of_regions, getattr(whole, name), getattr(single, name)) for name in names}
    return Travel(codes=tuple(places), seats=tuple(seats), **tables)


def find_islands(areas: Areas, regions: Travel, towns: Travel) -> tuple[Island, ...]:
    """Return the islands of all regions that are not one place, the largest of each region first.

    regions, towns : travel times of both levels, with the ferries and the map file that were given. See docs/planner.md
    eq. (84) and (85).
    """
    parents = areas.table["parent"].reindex(list(towns.codes)).to_numpy(dtype=object)
    people, ways = read_population(towns.codes), np.where(towns.reached > 0.0, towns.people, np.inf)
    np.fill_diagonal(ways, 0.0)
    islands: list[Island] = []
    for region, seat in zip(regions.codes, regions.seats, strict=True):
        inside = np.flatnonzero(parents == region)
        inside = inside[np.argsort(-people[inside], kind="stable")]
        near = ways[np.ix_(inside, inside)] <= ONE_WAY
        if not len(inside) or people[inside] @ near[:, [towns.codes[i] for i in inside].index(seat)] >= (
            TOGETHER * people[inside].sum()
        ):
            continue
        label = connected_components(near, directed=False)[1]
        size = np.bincount(label, people[inside])
        label[(size < LEAST * size.sum())[label]] = size.argmax()
        order = sorted(set(label.tolist()), key=lambda number: -size[number])
        parts = [tuple(towns.codes[i] for i in inside[label == number]) for number in order]
        islands += [Island(part[0], region, part) for part in parts]
    return tuple(islands)
