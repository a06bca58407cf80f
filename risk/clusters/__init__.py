"""Where areas that lie together have more children met than people and effort explain, country by country.

The scan statistics and Gi* compare counts with those that the model expects at the country's rate. A
cluster is a place to ask about, not a finding: among all areas and pathways, some appear by chance.
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
class ClusterSearch:
    """A search for clusters among areas; centres in metres, (A, 2), NaN where unknown.

    size : size of the negative binomial of one quarter's count, which allows more variation than chance.
    """

    observations: Observations
    centres: Floats
    size: float
    replicates: int
    seed: int

    def whole(self, found: Floats, expected: Floats) -> dict[str, NDArray[Any]]:
        """Find clusters over the whole time, from found and expected children, (A, P).

        Columns of that shape: state, value (relative risk of the cluster), cluster (1 the most likely), p;
        gi and gi_q, Getis-Ord Gi* of the area and its neighbours and its false discovery rate.
        """
        arrays = self._empty(found.shape)
        size = self.size * len(self.observations.quarters)
        for inside, pathway in self._parts(found):
            cases, expected_cases = np.round(found[inside, pathway]), expected[inside, pathway]
            arrays.add(
                inside, pathway, scan_space(cases, expected_cases, self.centres[inside], size=size, **self._options())
            )
        statistic, q = self._getis_ord(np.log((found + 0.5) / (expected + 0.5)))
        return {**arrays.columns(), "gi": statistic, "gi_q": q}

    def recent(self, found: Floats, expected: Floats) -> dict[str, NDArray[Any]]:
        """Find clusters that last until now, from found and expected children, (A, T, P).

        Columns as for `whole`, without Gi*, and with since: the quarter in which the cluster begins.
        """
        arrays = self._empty((len(found), found.shape[2]))
        for inside, pathway in self._parts(found.sum(axis=1)):
            cases, expected_cases = np.round(found[inside, :, pathway]), expected[inside, :, pathway]
            result = scan_space_time(
                cases, expected_cases, self.centres[inside], prospective=True, size=self.size, **self._options()
            )
            arrays.add(inside, pathway, result)
        since = np.array([*self.observations.quarters, ""], dtype=object)[arrays.first]
        return {**arrays.columns(), "since": since}

    def _options(self) -> dict[str, Any]:
        return {"replicates": self.replicates, "seed": self.seed}

    def _empty(self, shape: tuple[int, ...]) -> _ClusterArrays:
        rank, p, ratio = (np.full(shape, np.nan) for _ in range(3))
        return _ClusterArrays(rank, p, ratio, np.full(shape, -1, np.int64))

    def _parts(self, found: Floats) -> Iterator[tuple[Ints, int]]:
        """Yield the areas of each country that can be scanned, with each pathway that has any finds."""
        placed = ~np.isnan(self.centres).any(axis=1)
        for country in range(len(self.observations.country_names)):
            inside = np.flatnonzero((self.observations.country_of == country) & placed)
            for pathway in range(found.shape[1]):
                if len(inside) >= _FEWEST and np.nansum(found[inside, pathway]) >= 1:
                    yield inside, pathway

    def _getis_ord(self, excess: Floats) -> tuple[Floats, Floats]:
        statistic, q = np.full(excess.shape, np.nan), np.full(excess.shape, np.nan)
        for country in range(len(self.observations.country_names)):
            inside = np.flatnonzero(self.observations.country_of == country)
            place = np.full(len(self.observations.areas), -1)
            place[inside] = np.arange(len(inside))
            edges = place[self.observations.edges]
            edges = edges[(edges >= 0).all(axis=1)]
            for pathway in range(excess.shape[1]):
                if len(inside) >= _FEWEST and len(edges) and np.ptp(excess[inside, pathway]) > 0:
                    local = compute_getis_ord(excess[inside, pathway], edges, self.replicates, self.seed)
                    statistic[inside, pathway], q[inside, pathway] = local.statistic, local.q
        return statistic, q


@dataclass(frozen=True, eq=False)
class _ClusterArrays:
    """Clusters as arrays over areas and pathways, (A, P) each."""

    rank: Floats
    p: Floats
    ratio: Floats
    first: Ints

    def add(self, inside: Ints, pathway: int, result: Scan) -> None:
        """Add the clusters of a scan; each area is in at most one cluster."""
        for number, cluster in enumerate(result.clusters, 1):
            members = inside[list(cluster.areas)]
            self.rank[members, pathway], self.p[members, pathway] = number, cluster.p
            self.ratio[members, pathway], self.first[members, pathway] = cluster.relative_risk, cluster.first

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the clusters as columns of a table."""
        state = np.where(np.isnan(self.rank), "no_data", "number")
        return {"state": state, "value": self.ratio, "cluster": self.rank, "p": self.p}
