"""Splits that respect time and place, for `sklearn.model_selection.cross_validate` and our own evaluation.

Rows may stand in any order; `groups` says of each row which quarter (rolling origins) or which area (spatial
blocks) it belongs to, by position.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from data.errors import InputError
from data.workspace.types import Floats, Ints


@dataclass(frozen=True)
class RollingOrigin:
    """Fit on all quarters before an origin, test on those after it, one quarter further each time.

    first : the first origin, the position of the first quarter that is tested.
    horizons : how many quarters ahead are tested, fewer at the end.
    """

    first: int
    horizons: int = 4

    def __post_init__(self) -> None:
        """Check every value."""
        if self.first < 1 or self.horizons < 1:
            msg = f"{self}: the first origin and the horizons are whole numbers from 1."
            raise InputError(msg)

    def origins(self, quarters: int) -> range:
        """List the origins within a number of quarters."""
        if quarters <= self.first:
            msg = f"Testing from quarter {self.first} on needs more than {quarters} quarters."
            raise InputError(msg)
        return range(self.first, quarters)

    def get_n_splits(self, _x: object = None, _y: object = None, groups: Ints | None = None) -> int:
        """Count the origins; `groups` is the quarter of each row."""
        return len(self.origins(int(_needed(groups).max()) + 1))

    def split(self, _x: object, _y: object = None, groups: Ints | None = None) -> Iterator[tuple[Ints, Ints]]:
        """Give positions of rows to fit on and to test on; `groups` is the quarter of each row."""
        quarter = _needed(groups)
        for origin in self.origins(int(quarter.max()) + 1):
            ahead = quarter - origin
            yield np.flatnonzero(ahead < 0), np.flatnonzero((ahead >= 0) & (ahead < self.horizons))


@dataclass(frozen=True, eq=False)
class SpatialBlocks:
    """Test on one contiguous block of areas, fit on the rest without a ring of neighbours around it.

    The ring keeps what leaks over borders out of the test (Roberts et al. 2017).

    edges : pairs of positions of areas that touch, (n, 2).
    size : number of areas.
    blocks : into how many to divide them.
    ring : how many rings of neighbours are left out.
    """

    edges: Ints
    size: int
    blocks: int = 5
    ring: int = 1

    def __post_init__(self) -> None:
        """Check every value."""
        if not 2 <= self.blocks <= self.size or self.ring < 0:
            msg = f"{self.size} areas make 2 to {self.size} blocks with rings from 0 on, not {self.blocks}."
            raise InputError(msg)

    def labels(self) -> Ints:
        """Give the block of each area, (size,); the same for the same map.

        Blocks grow from areas far apart, always the smallest by one of its neighbours, so that sizes differ
        by little where borders allow it. A part of the map that no block began in (an island) joins the
        smallest block whole, so such a block is contiguous in each of its parts only.
        """
        apart = hops(self.edges, self.size)
        label = np.full(self.size, -1)
        label[_far_apart(apart, self.blocks)] = np.arange(self.blocks)
        touching, connected = apart == 1, np.isfinite(apart)
        while (label < 0).any():
            self._grow(label, touching, connected)
        return label

    def _grow(self, label: Ints, touching: np.ndarray, connected: np.ndarray) -> None:
        """Give one more area, or a whole part of the map without a block, to the smallest block that can."""
        free = label < 0
        by_size = np.argsort(np.bincount(label[~free], minlength=self.blocks), kind="stable")
        for block in by_size:
            near = np.flatnonzero(free & touching[label == block].any(axis=0))
            if len(near):
                # The one with most neighbours inside keeps the block compact.
                inside = touching[near][:, label == block].sum(axis=1)
                label[near[np.argmax(inside)]] = block
                return
        label[connected[np.flatnonzero(free)[0]]] = by_size[0]

    def folds(self) -> Iterator[tuple[Ints, Ints]]:
        """Give the areas to fit on and those to test on, by position, one block after the other."""
        apart, label = hops(self.edges, self.size), self.labels()
        for block in range(self.blocks):
            inside = label == block
            near = apart[inside].min(axis=0) <= self.ring
            yield np.flatnonzero(~near & ~inside), np.flatnonzero(inside)

    def get_n_splits(self, _x: object = None, _y: object = None, groups: object = None) -> int:  # noqa: ARG002
        """Count the blocks."""
        return self.blocks

    def split(self, _x: object, _y: object = None, groups: Ints | None = None) -> Iterator[tuple[Ints, Ints]]:
        """Give positions of rows to fit on and to test on; `groups` is the area of each row."""
        area = _needed(groups)
        for kept, tested in self.folds():
            yield np.flatnonzero(np.isin(area, kept)), np.flatnonzero(np.isin(area, tested))


def hops(edges: Ints, size: int) -> Floats:
    """Count the borders to cross between areas, (size, size); infinite where there is no way over land."""
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size)).tocsr()
    return np.asarray(shortest_path(graph, directed=False, unweighted=True))


def _far_apart(apart: Floats, count: int) -> list[int]:
    """Choose areas each as far as possible from those before it, from one at the edge of the largest part."""
    largest = np.isfinite(apart).sum(axis=1).argmax()
    reach = np.where(np.isfinite(apart[largest]), apart[largest], -1.0)
    chosen = [int(np.argmax(reach))]
    # Big parts of the map come before small ones, and an island begins no block while land can be divided.
    weight = np.isfinite(apart).sum(axis=1)
    while len(chosen) < count:
        nearest = apart[chosen].min(axis=0)
        far = np.isinf(nearest) & (weight * count >= len(apart))
        nearest = np.where(far, np.inf, np.where(np.isinf(nearest), 0.5, nearest))
        chosen.append(int(np.argmax(nearest)))
    return chosen


def _needed(groups: Ints | None) -> Ints:
    if groups is None:
        msg = "Give `groups`: the quarter (rolling origins) or the area (spatial blocks) of each row."
        raise InputError(msg)
    return np.asarray(groups)
