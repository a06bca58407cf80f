"""Where areas that lie together have more children met than people and effort explain, country by country.

Scans and Gi* of risk/clusters/scan.py on the expected counts of the model at its country's rate. A
cluster is a place to ask about, not a finding: who looks at all areas and pathways will see some by
chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.workspace.types import Floats, Ints
from risk.clusters.getis_ord import compute_getis_ord
from risk.clusters.scan import Scan, scan_space, scan_space_time
from risk.model.observations import Observations

__all__ = ["Ground"]

_FEWEST = 4  # areas that a scan needs


@dataclass(frozen=True, eq=False)
class Ground:
    """Where clusters are looked for: areas with their middles in metres, (areas, 2), NaN where unknown.

    size : of the negative binomial of one quarter's count, by which counts vary more than by chance alone.
    """

    seen: Observations
    centres: Floats
    size: float
    replicates: int
    seed: int

    def whole(self, found: Floats, expected: Floats) -> dict[str, NDArray[Any]]:
        """Give clusters over the whole time, from counts and expected ones of shape (areas, pathways).

        Columns of that shape: state, value (relative risk of the cluster), cluster (1 the most likely), p;
        gi and gi_q, Getis-Ord Gi* of the area and its neighbours and its false discovery rate.
        """
        told = self._empty(found.shape)
        size = self.size * len(self.seen.quarters)
        for inside, pathway in self._parts(found):
            cases, there = np.round(found[inside, pathway]), expected[inside, pathway]
            told.take(
                inside, pathway, scan_space(cases, there, self.centres[inside], size=size, **self._options())
            )
        gi, q = self._getis_ord(np.log((found + 0.5) / (expected + 0.5)))
        return {**told.columns(), "gi": gi, "gi_q": q}

    def recent(self, found: Floats, expected: Floats) -> dict[str, NDArray[Any]]:
        """Give clusters that last until now, from counts of shape (areas, quarters, pathways).

        Columns as of `whole`, without Gi*, with since: the quarter in which the cluster begins.
        """
        told = self._empty((len(found), found.shape[2]))
        for inside, pathway in self._parts(found.sum(axis=1)):
            cases, there = np.round(found[inside, :, pathway]), expected[inside, :, pathway]
            result = scan_space_time(
                cases, there, self.centres[inside], prospective=True, size=self.size, **self._options()
            )
            told.take(inside, pathway, result)
        since = np.array([*self.seen.quarters, ""], dtype=object)[told.first]
        return {**told.columns(), "since": since}

    def _options(self) -> dict[str, Any]:
        return {"replicates": self.replicates, "seed": self.seed}

    def _empty(self, shape: tuple[int, ...]) -> _Told:
        rank, p, ratio = (np.full(shape, np.nan) for _ in range(3))
        return _Told(rank, p, ratio, np.full(shape, -1, np.int64))

    def _parts(self, found: Floats) -> Iterator[tuple[Ints, int]]:
        """Give the areas of each country that can be scanned, with each pathway on which anybody was met."""
        placed = ~np.isnan(self.centres).any(axis=1)
        for country in range(len(self.seen.country_names)):
            inside = np.flatnonzero((self.seen.country_of == country) & placed)
            for pathway in range(found.shape[1]):
                if len(inside) >= _FEWEST and np.nansum(found[inside, pathway]) >= 1:
                    yield inside, pathway

    def _getis_ord(self, excess: Floats) -> tuple[Floats, Floats]:
        gi, q = np.full(excess.shape, np.nan), np.full(excess.shape, np.nan)
        for country in range(len(self.seen.country_names)):
            inside = np.flatnonzero(self.seen.country_of == country)
            place = np.full(len(self.seen.areas), -1)
            place[inside] = np.arange(len(inside))
            edges = place[self.seen.edges]
            edges = edges[(edges >= 0).all(axis=1)]
            for pathway in range(excess.shape[1]):
                if len(inside) >= _FEWEST and len(edges) and np.ptp(excess[inside, pathway]) > 0:
                    local = compute_getis_ord(excess[inside, pathway], edges, self.replicates, self.seed)
                    gi[inside, pathway], q[inside, pathway] = local.statistic, local.q
        return gi, q


@dataclass(frozen=True, eq=False)
class _Told:
    """Clusters laid out over areas and pathways."""

    rank: Floats
    p: Floats
    ratio: Floats
    first: Ints

    def take(self, inside: Ints, pathway: int, result: Scan) -> None:
        """Write the clusters of a scan down; each area stands in one at most."""
        for number, cluster in enumerate(result.clusters, 1):
            members = inside[list(cluster.areas)]
            self.rank[members, pathway], self.p[members, pathway] = number, cluster.p
            self.ratio[members, pathway], self.first[members, pathway] = cluster.relative_risk, cluster.first

    def columns(self) -> dict[str, NDArray[Any]]:
        """Give them as columns of a table."""
        state = np.where(np.isnan(self.rank), "no_data", "number")
        return {"state": state, "value": self.ratio, "cluster": self.rank, "p": self.p}
