"""Regions that are no single place, and the islands into which a plan divides them.

A team works where it is posted. In a region whose people live further apart than a working day allows, it
stands on one island and does not meet the children of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from geo.areas import Areas
from geo.travel import Travel, read_population

ONE_WAY = 240.0  # minutes: half of a working day of eight hours
TOGETHER = 0.75  # of its people live within ONE_WAY of the seat of a region that is one place


@dataclass(frozen=True)
class Island:
    """A part of a region, named after its largest municipality: municipalities that a working day joins.

    code : of the largest municipality. members : codes of all, the largest first.
    """

    code: str
    region: str
    members: tuple[str, ...]


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
        parts = [tuple(towns.codes[i] for i in inside[label == number]) for number in dict.fromkeys(label.tolist())]
        size = {part: sum(people[towns.codes.index(code)] for code in part) for part in parts}
        islands += [Island(part[0], region, part) for part in sorted(parts, key=lambda part: -size[part])]
    return tuple(islands)
