"""What of a region's need and units belongs to each of its islands (`geo.islands`); other regions are one part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.workspace.types import Floats, Ints
from geo.islands import Island
from geo.travel import read_population
from risk.numbers import apportion
from risk.planning.posts import PostsTable

# Standard deviation of the logarithm of the rate of an island against that of its region: an assumption.
SPREAD_WITHIN = 0.5


@dataclass(frozen=True, eq=False)
class Division:
    """R areas divided into A places: the islands of an area one after the other, the largest first, or the area itself.

    parts : positions of the places of each area, (R,). people, days : of each place, (A,), those of one area in
    proportion; 1 where an area is one place.
    """

    places: tuple[str, ...]
    parts: tuple[Ints, ...]
    people: Floats
    days: Floats

    @classmethod
    def find(cls, areas: Sequence[str], islands: Sequence[Island], days: Mapping[str, float]) -> Division:
        """Return the division of areas by the islands of some of them; days : of outreach by municipality."""
        places, parts, people, worked = list[str](), list[Ints](), list[float](), list[float]()
        for area in areas:
            here = [island for island in islands if island.region == area]
            parts.append(np.arange(len(places), len(places) + max(len(here), 1)))
            places += [island.place for island in here] or [area]
            people += [float(read_population(island.members).sum()) for island in here] or [1.0]
            worked += [sum(days.get(code, 0.0) for code in island.members) for island in here] or [1.0]
        return cls(tuple(places), tuple(parts), np.array(people), np.array(worked))

    @property
    def area_of(self) -> Ints:
        """Position of the area of each place, (A,)."""
        return np.repeat(np.arange(len(self.parts)), [len(part) for part in self.parts])

    def sum_areas(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the sums over the places of each area, (R, ...), of values by place, (A, ...)."""
        return np.add.reduceat(values, [part[0] for part in self.parts], axis=0)

    def divide_need(self, need: Floats, seed: int = 0) -> Floats:
        """Divide draws of need, (d, R), among the places by their people, (d, A), docs/planner.md eq. (86).

        How the rate differs within a region is not known, so the shares are drawn. They add up in each draw.
        """
        divided = need[:, self.area_of]
        for number, part in enumerate(self.parts):
            rng = np.random.default_rng([seed, number])
            if len(part) > 1:
                weight = self.people[part] * np.exp(SPREAD_WITHIN * rng.standard_normal((len(need), len(part))))
                divided[:, part] *= weight / weight.sum(axis=1, keepdims=True)
        return divided

    def place_units(self, table: PostsTable) -> tuple[Ints, Ints, Ints]:
        """Return units and committed units by place and kind, (A, K), and room, (A,), docs/planner.md eq. (89).

        Teams stand where their days of outreach were, services on the largest island. Room that is left goes by people.
        """
        largest = np.isin(np.arange(len(self.places)), [part[0] for part in self.parts]).astype(float)
        stand = [
            self._divide(table.units[:, k], self.days if kind.search else largest) for k, kind in enumerate(table.kinds)
        ]
        bound = [self._divide(table.committed[:, k], units.astype(float)) for k, units in enumerate(stand)]
        here = np.sum(stand, axis=0)
        room = here + self._divide(table.room - table.units.sum(axis=1), self.people)
        return np.stack(stand, axis=1), np.stack(bound, axis=1), room

    def _divide(self, total: Ints, weight: Floats) -> Ints:
        """Divide units of areas, (R,), by a weight of places, (A,), or by people where it is 0 in all of an area."""
        divided = np.zeros(len(self.places), np.int64)
        for part, count in zip(self.parts, total.tolist(), strict=True):
            divided[part] = apportion(weight[part] if weight[part].any() else self.people[part], count)
        return divided
