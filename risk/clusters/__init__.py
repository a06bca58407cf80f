"""Clusters: neighbouring areas where more children were met than population and effort explain, country by country.

The scan statistics and Gi* compare counts with those that the model expects at the country's rate. The areas of a
cluster together have more children than chance and differences in detection explain. This need not hold for each area.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.workspace.types import Floats, Ints
from risk.clusters.getis_ord import compute_getis_ord
from risk.clusters.scan import Cluster, scan_space
from risk.model.observations import Observations

BETWEEN_SD = 0.3  # spread of log detection in worlds without a cluster
LEVEL = 0.1  # a cluster is shown where at most this share of releases without differences in risk has one
_FEWEST = 4  # areas that a scan needs
_FEWEST_INSIDE = 2  # areas in a cluster: teams that find more explain a single one
_TINY = float(np.finfo(float).tiny)
_LEAST_SIZE = 0.05  # of a negative binomial; with a smaller size the draws are too close to 0 for floating point


@dataclass(frozen=True, eq=False)
class ClusterSearch:
    """A search for clusters among areas; centres in metres, (A, 2), NaN where unknown.

    size : negative binomial size of a count over the whole time; between_sd : spread of log detection between areas.
    Both allow for more variation than chance, as does the noise of the counts, eq. (54).
    replicates, seed : number of random replicates, and their seed. largest : largest share of the expected children in
    a window, a half at most.
    """

    observations: Observations
    centres: Floats
    size: float
    between_sd: float
    replicates: int
    seed: int
    largest: float = 0.5

    def find(self, children: Floats, expected: Floats, noise: Floats) -> dict[str, NDArray[Any]]:
        """Find clusters over the whole time, from the found `children` and the `expected` ones, (A, P).

        noise : variance of the noise of disclosure control in the found children, (A, P).

        Returns columns of that shape. state : "number" in a cluster, else "no_data". value : relative risk of the
        cluster. cluster : 1 for the most likely one of its country and pathway. p : p value; p_release : that for all
        scans of the release together, eq. (72). These four are NaN outside clusters. gi, gi_q : Getis-Ord Gi* of the
        area with its neighbours, and its false discovery rate; NaN where they cannot be computed.
        """
        rank, p, ratio = (np.full(children.shape, np.nan) for _ in range(3))
        parts = list(self._parts(children))
        for inside, pathway in parts:
            cell = inside, pathway
            clusters = self._scan(children[cell], expected[cell], noise[cell], inside)
            for number, cluster in enumerate(clusters, 1):
                members = inside[list(cluster.areas)]
                rank[members, pathway], p[members, pathway] = number, cluster.p
                ratio[members, pathway] = cluster.relative_risk
        statistic, q = self._getis_ord(np.log((children + 0.5) / (expected + 0.5)))
        return {
            "state": np.where(np.isnan(rank), "no_data", "number"),
            "value": ratio,
            "cluster": rank,
            "p": p,
            "p_release": np.minimum(p * len(parts), 1.0),
            "gi": statistic,
            "gi_q": q,
        }

    def _scan(self, cases: Floats, expected: Floats, noise: Floats, inside: Ints) -> tuple[Cluster, ...]:
        known = np.isfinite(cases)  # an area with an unknown number is left out of the scan
        level = expected * cases[known].sum() / max(expected[known].sum(), _TINY)
        more = np.divide(noise, level**2, out=np.zeros(len(level)), where=level**2 > 0)
        return scan_space(
            np.round(cases),
            expected,
            self.centres[inside],
            size=np.maximum(1.0 / np.maximum(1.0 / self.size + more, _TINY), _LEAST_SIZE),
            between_sd=self.between_sd,
            largest=self.largest,
            fewest=_FEWEST_INSIDE,
            replicates=self.replicates,
            seed=self.seed,
        )

    def _parts(self, children: Floats) -> Iterator[tuple[Ints, int]]:
        """Yield the positions of a country's areas with known centres, and a pathway on which it found children.

        Countries with fewer than four such areas are left out.
        """
        placed = ~np.isnan(self.centres).any(axis=1)
        for country in range(len(self.observations.country_names)):
            inside = np.flatnonzero((self.observations.country_of == country) & placed)
            for pathway in range(children.shape[1]):
                if len(inside) >= _FEWEST and np.nansum(children[inside, pathway]) >= 1:
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
