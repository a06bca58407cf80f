"""Splits of observations that respect time and place: rolling origins and contiguous blocks of areas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from data.errors import InputError
from data.workspace.types import Floats, Ints


def list_origins(first: int, quarters: int) -> range:
    """List the origins of forecasts, from `first` to the last of `quarters` quarters.

    An origin is the position of the first quarter that is forecast. Raises InputError if `first` leaves no quarter to
    learn from, or none to forecast.
    """
    if not 1 <= first < quarters:
        msg = f"Forecasting from quarter {first} needs an earlier quarter, and more than {quarters} quarters."
        raise InputError(msg)
    return range(first, quarters)


@dataclass(frozen=True, eq=False)
class SpatialBlocks:
    """Contiguous blocks of areas: test on one block, fit on all other areas except a ring around the block.

    The ring keeps dependence across borders out of the test (Roberts et al. 2017).

    edges : pairs of positions of areas that touch, (n, 2).
    size : number of areas.
    blocks : number of blocks.
    ring : number of rings of neighbours that are left out.

    Raises InputError if there are fewer than two blocks, more blocks than areas, or a negative ring.
    """

    edges: Ints
    size: int
    blocks: int = 5
    ring: int = 1

    def __post_init__(self) -> None:
        if not 2 <= self.blocks <= self.size or self.ring < 0:
            raise InputError(f"{self.size} areas make 2 to {self.size} blocks with rings from 0 on, not {self.blocks}.")

    def labels(self) -> Ints:
        """Return the block of each area, (size,); the same map gives the same blocks.

        Blocks grow from areas that are far apart. The smallest block always takes the next neighbour, so that
        sizes differ little where borders allow it. A part of the map in which no block began (an island) becomes, as a
        whole, a part of the smallest block.
        """
        apart = count_borders(self.edges, self.size)
        label = np.full(self.size, -1)
        label[_choose_far_apart(apart, self.blocks)] = np.arange(self.blocks)
        touching, connected = apart == 1, np.isfinite(apart)
        while (label < 0).any():
            self._grow(label, touching, connected)
        return label

    def _grow(self, label: Ints, touching: np.ndarray, connected: np.ndarray) -> None:
        """Add one area, or a whole part of the map without a block, to the smallest block that can take it.

        label : block of each area, -1 for none, (size,); changed in place. touching, connected : masks of pairs of
        areas, (size, size).
        """
        free = label < 0
        by_size = np.argsort(np.bincount(label[~free], minlength=self.blocks), kind="stable")
        for block in by_size:
            near = np.flatnonzero(free & touching[label == block].any(axis=0))
            if len(near):
                # The area with the most neighbours inside keeps the block compact.
                inside = touching[near][:, label == block].sum(axis=1)
                label[near[np.argmax(inside)]] = block
                return
        label[connected[np.flatnonzero(free)[0]]] = by_size[0]

    def folds(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield the positions of the areas to fit on and of those to test on, block by block."""
        apart, label = count_borders(self.edges, self.size), self.labels()
        for block in range(self.blocks):
            inside = label == block
            near = apart[inside].min(axis=0) <= self.ring
            yield np.flatnonzero(~near & ~inside), np.flatnonzero(inside)


def count_borders(edges: Ints, size: int) -> Floats:
    """Return the number of borders to cross between areas, (size, size); infinite without a connection by edges."""
    ends = edges.T.astype(np.int32)  # which older SciPy needs
    graph = coo_array((np.ones(len(edges)), (ends[0], ends[1])), shape=(size, size)).tocsr()
    return np.asarray(shortest_path(graph, directed=False, unweighted=True))


def _choose_far_apart(apart: Floats, count: int) -> list[int]:
    """Return the positions of `count` areas, each as far as possible from the earlier ones.

    The first is at an end of the largest part of the map. apart : borders between areas, (size, size).
    """
    largest = np.isfinite(apart).sum(axis=1).argmax()
    reach = np.where(np.isfinite(apart[largest]), apart[largest], -1.0)
    positions = [int(np.argmax(reach))]
    # Large parts of the map come before small ones, and no block begins on an island while land can be divided.
    weight = np.isfinite(apart).sum(axis=1)
    while len(positions) < count:
        nearest = apart[positions].min(axis=0)
        far = np.isinf(nearest) & (weight * count >= len(apart))
        nearest = np.where(far, np.inf, np.where(np.isinf(nearest), 0.5, nearest))
        positions.append(int(np.argmax(nearest)))
    return positions
