"""The counts that forecasters, trends and their evaluation read: areas x quarters x pathways."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.errors import InputError
from data.workspace.types import Floats, Ints

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Panel:
    """Children found in A areas, T quarters and P pathways, as published, with the data that explain them.

    areas, countries : code and country of each area, (A,).
    expected : children expected in an area at the common rate, up to a factor, (A, T); above zero.
    quarters : identifiers of the quarters, oldest first, (T,).
    pathways : names of the pathways, (P,).
    counts : (A, T, P); NaN where unknown.
    effort : days of outreach, (A, T).
    edges : pairs of positions of areas that touch, (n, 2), each pair once.

    Raises InputError, which names the field, if a shape or a value does not fit.
    """

    areas: tuple[str, ...]
    countries: tuple[str, ...]
    expected: Floats
    quarters: tuple[str, ...]
    pathways: tuple[str, ...]
    counts: Floats
    effort: Floats
    edges: Ints

    def __post_init__(self) -> None:
        size, time = len(self.areas), len(self.quarters)
        shapes = {
            "countries": ((len(self.countries),), (size,)),
            "expected": (self.expected.shape, (size, time)),
            "counts": (self.counts.shape, (size, time, len(self.pathways))),
            "effort": (self.effort.shape, (size, time)),
            "edges": (self.edges.shape, (len(self.edges), 2)),
        }
        for name, (shape, wanted) in shapes.items():
            if shape != wanted:
                raise InputError(f"{name} of a panel has the shape {shape}; {wanted} is needed.")
        _check("expected", bool((self.expected > 0).all()), "numbers above 0; leave empty areas out")
        _check("counts", not (self.counts < 0).any(), "numbers from 0, or unknown")
        _check("effort", bool((self.effort >= 0).all()), "days from 0")
        inside = not self.edges.size or (self.edges.min() >= 0 and self.edges.max() < size)
        _check("edges", bool(inside), "positions of areas")

    def until(self, quarter: int) -> Panel:
        """Return the panel of the quarters before the one at position `quarter`: the history at that origin."""
        return replace(
            self,
            expected=self.expected[:, :quarter],
            quarters=self.quarters[:quarter],
            counts=self.counts[:, :quarter],
            effort=self.effort[:, :quarter],
        )

    def hiding(self, areas: Ints) -> Panel:
        """Return a panel in which the counts of the areas at these positions are unknown."""
        counts = self.counts.copy()
        counts[areas] = np.nan
        return replace(self, counts=counts)


def _check(name: str, passed: bool, allowed: str) -> None:
    if not passed:
        raise InputError(f"{name} of a panel cannot be read; give {allowed}.")
