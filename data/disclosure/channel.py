"""The effect of noise on a count: the channel P(published | true count), and the knowledge of an attacker.

The same channel is used for the margins on the map, the likelihood of the risk model (shown and hidden cells), and the
attacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from data.workspace.types import Bools, Floats

Counts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.int64]

UNKNOWN = 2**40  # larger than any count, and a sum of a million of them still fits into 64 bits


@dataclass(frozen=True)
class Knowledge:
    """The bounds that an attacker knows for a cell without using other cells, and the values that must stay possible.

    A shown number lies within `largest` of the truth; the truth of a hidden cell lies in `hidden_from` to `hidden_to`.
    A hidden cell is protected when each of `open_from` to `open_to` stays feasible for it, a shown cell when at least
    `open_values` values do (the protection interval). `step` is the largest number that one child can add to a cell.

    A published zero of partners is a hidden cell too: its noisy number is below the threshold, which may be 1.
    """

    largest: int
    hidden_from: int
    hidden_to: int
    open_from: int
    open_to: int
    open_values: int
    step: int = 1

    @property
    def threshold(self) -> int:
        """The smallest number that is shown."""
        return self.open_to + 1

    @property
    def draws(self) -> int:
        """Of how many draws of noise a number is the sum (`CellKey.knowledge`): the years of the whole programme."""
        below = self.open_to - (self.hidden_to - self.largest)  # the largest number of a draw that the sum leaves out
        return self.largest // (self.open_values - 1 + below)

    @classmethod
    def from_manifest(cls, values: Mapping[str, int]) -> Knowledge:
        """Return the knowledge about a measure from its entry in a manifest."""
        return cls(**{name: int(values[name]) for name in cls.__dataclass_fields__})

    def as_dict(self) -> dict[str, int]:
        """Return plain values for a manifest."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Channel:
    """P(published | true), docs/disclosure.md eq. (6), for true counts 0 to n_max.

    `matrix` has shape (n_max + 1, n_max + largest + 1): rows are true counts, columns noisy values, and each
    row sums to 1. `largest` is the largest noise. With a threshold `k`, all noisy values below it are published as one
    outcome, "hidden"; if `k` is None, nothing is hidden. From the true count `steady` on, all counts have the same
    noise.
    """

    matrix: Floats
    largest: int
    k: int | None = None
    steady: int = 0

    @property
    def n_max(self) -> int:
        """The largest true count that the matrix holds."""
        return len(self.matrix) - 1

    def hidden(self) -> Floats:
        """Return P(hidden | true), shape (n_max + 1,); zeros when nothing is hidden."""
        return np.asarray(self.matrix[:, ~self._visible].sum(axis=1))

    def shown(self, value: int) -> Floats:
        """Return P(this number is shown | true), shape (n_max + 1,); zeros for a number that is never shown."""
        if not (self.k or 0) <= value < self.matrix.shape[1]:
            return np.zeros(len(self.matrix))
        return self.matrix[:, value]

    @property
    def _visible(self) -> Bools:
        """A mask of the noisy values that are shown unchanged, shape (n_max + largest + 1,)."""
        return np.asarray(np.arange(self.matrix.shape[1]) >= (self.k or 0))

    def confidence_interval(self, published: int | None, level: float) -> tuple[int, int]:
        """Return the ends of a confidence interval of the true count behind a published number.

        The method is by Clopper and Pearson (1934). `published`: the number; None, or a number below the threshold, for
        hidden. `level`: from 0 to 1, for example 0.95. For numbers above the matrix the noise of its last row is used,
        so the matrix must have at least as many rows as that of `make_short_channel`. Raises IndexError for None
        without a threshold.
        """
        number = (self.k or 0) - 1 if published is None else published
        further = max(0, number + self.largest - self.n_max)  # how far the number and its counts lie above the matrix
        outcome = 0 if published is None else int(self.outcome_of(np.array(number - further)))
        chance = self.outcomes()
        below, above = chance[:, : outcome + 1].sum(axis=1), chance[:, outcome:].sum(axis=1)
        fitting = np.flatnonzero(np.minimum(below, above) > (1.0 - level) / 2.0) + further
        return int(fitting[0]), int(fitting[-1])

    def variance(self) -> Floats:
        """Return the variance of the noise of each true count, shape (n_max + 1,)."""
        distance = np.arange(self.matrix.shape[1]) - np.arange(len(self.matrix))[:, None]
        mean = (self.matrix * distance).sum(axis=1)
        return np.asarray((self.matrix * distance**2).sum(axis=1) - mean**2)

    def outcomes(self) -> Floats:
        """Return P(outcome | true), shape (n_max + 1, outcomes): "hidden" first, then the shown values."""
        return np.column_stack([self.hidden(), self.matrix[:, self._visible]])

    def outcome_of(self, values: Counts) -> Counts:
        """Return the column of `outcomes` for each noisy value (zero or more), in the shape of `values`.

        It is 0 for a hidden value, and the last column for a value above the matrix.
        """
        last = self.matrix.shape[1] - 1
        return np.asarray(np.maximum(np.minimum(values, last) - (self.k or 0) + 1, 0), np.int64)

    def total_variation(self) -> Floats:
        """Return the total variation distance (0 to 1) between what is published for counts n and n + 1, (n_max,)."""
        return np.asarray(np.abs(np.diff(self.outcomes(), axis=0)).sum(axis=1) / 2)


def make_short_channel(table: Floats, k: int | None = None) -> Channel:
    """Return a channel with enough rows for any count: larger counts have the last row's noise and are never hidden.

    table, k : see `make_channel`.
    """
    return make_channel(table, len(table) + (k or 0) + 3 * (table.shape[1] // 2), k)


def make_channel(table: Floats, n_max: int, k: int | None = None) -> Channel:
    """Return the channel for counts up to n_max; values below k are hidden (None: no value).

    table : P(noise | true count) from `CellKey.table`: row n is for the count n, the last row for all larger counts,
    and column d + largest for the noise d.
    """
    largest = table.shape[1] // 2
    matrix = np.zeros((n_max + 1, n_max + largest + 1))
    for count in range(n_max + 1):
        below = min(count, largest)
        matrix[count, count - below : count + largest + 1] = table[min(count, len(table) - 1)][largest - below :]
    return Channel(matrix, largest, k, steady=len(table) - 1)
