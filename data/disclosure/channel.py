"""What every protection mechanism offers: publishing, and an honest account of what it does to a count.

The account is the channel, P(published | true count). One object serves the margin that the map shows, the
likelihood of the risk model (shown and hidden cells alike), and the attacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from data.tables.grid import Grid
from data.tables.spec import TableSpec
from data.tables.states import State
from data.workspace.types import Bools, Floats

__all__ = ["UNKNOWN", "Channel", "Counts", "Keys", "Knowledge", "Mechanism"]

Counts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.int64]

UNKNOWN = 2**40  # larger than any count, and a sum of a million of them still fits into 64 bits


@dataclass(frozen=True)
class Knowledge:
    """What an attacker knows of one cell before looking at any other, and what must stay open afterwards.

    A shown number lies within `largest` of the truth; a hidden cell's truth lies in `hidden_from` to
    `hidden_to`. Protected means that each of `open_from` to `open_to` stays feasible for a hidden cell and
    at least `open_values` values for a shown one (the protection interval). `step` is the most that one
    child can add to a cell. Where `hidden_to` is UNKNOWN a hidden cell may hold anything: those that are
    small and those that are hidden beside them look alike, as "withheld".
    """

    largest: int
    hidden_from: int
    hidden_to: int
    open_from: int
    open_to: int
    open_values: int
    step: int = 1

    @property
    def by_pattern(self) -> bool:
        """Whether that a cell is hidden says nothing of its size."""
        return self.hidden_to >= UNKNOWN

    @property
    def withheld_from(self) -> int:
        """The least that a withheld cell can hold: where zeros show, it is none."""
        return self.hidden_from if self.by_pattern else 0

    @classmethod
    def of(cls, values: Mapping[str, int]) -> Knowledge:
        """Read it from a manifest."""
        return cls(**{name: int(values[name]) for name in cls.__dataclass_fields__})

    def as_dict(self) -> dict[str, int]:
        """Give plain values for a manifest."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Channel:
    """P(published | true) for true counts 0 to n_max.

    `matrix` has shape (n_max + 1, n_max + largest + 1), rows true counts, columns noisy values, rows sum
    to 1. With a threshold `k`, noisy values below it are published as one outcome, "hidden"; zero is among
    them unless `zeros_shown`. From the true count `steady` on all have the same noise.
    """

    matrix: Floats
    largest: int
    k: int | None = None
    zeros_shown: bool = False
    steady: int = 0

    @property
    def n_max(self) -> int:
        """The largest true count that the matrix holds."""
        return len(self.matrix) - 1

    @property
    def margin(self) -> int:
        """The distance from the truth that a shown number never exceeds."""
        return self.largest

    def hidden(self) -> Floats:
        """Give P(hidden | true), shape (n_max + 1,); zeros when nothing is hidden."""
        return np.asarray(self.matrix[:, ~self._seen].sum(axis=1))

    def shown(self, value: int) -> Floats:
        """Give P(this number is shown | true), shape (n_max + 1,)."""
        seen = self._seen
        if not 0 <= value < len(seen) or not seen[value]:
            return np.zeros(len(self.matrix))
        return self.matrix[:, value]

    @property
    def _seen(self) -> Bools:
        """Say which noisy values are shown as they are."""
        values = np.arange(self.matrix.shape[1])
        return np.asarray((values >= (self.k or 0)) | (self.zeros_shown & (values == 0)))

    def log_likelihood(self, published: npt.ArrayLike) -> Floats:
        """Give log P(published | true), shape (cells, n_max + 1); a negative value stands for hidden."""
        values = np.atleast_1d(np.asarray(published, np.int64))
        likelihood = np.stack([self.hidden() if v < 0 else self.shown(int(v)) for v in values])
        with np.errstate(divide="ignore"):
            return np.log(likelihood)

    def support(self, published: int | None) -> npt.NDArray[np.int64]:
        """List the true counts that can show as this number; None for hidden."""
        chance = self.hidden() if published is None else self.shown(published)
        return np.flatnonzero(chance > 0)

    def interval(self, published: int | None) -> tuple[int, int]:
        """Give the least and the largest true count that can show as this number; None for hidden."""
        feasible = self.support(published)
        return int(feasible[0]), int(feasible[-1])

    def variance(self) -> Floats:
        """Give the variance of the noise of each true count, (n_max + 1,)."""
        away = np.arange(self.matrix.shape[1]) - np.arange(len(self.matrix))[:, None]
        mean = (self.matrix * away).sum(axis=1)
        return np.asarray((self.matrix * away**2).sum(axis=1) - mean**2)

    def outcomes(self) -> Floats:
        """Give the distribution over what is seen: hidden first, then the shown values; (n_max + 1, m)."""
        return np.column_stack([self.hidden(), self.matrix[:, self._seen]])

    def place(self, values: Counts) -> Counts:
        """Give the column of `outcomes` in which each value, not below zero, is seen; 0: it is hidden."""
        columns = np.where(self._seen, np.cumsum(self._seen), 0)
        return np.asarray(columns[np.minimum(values, len(columns) - 1)], np.int64)

    def total_variation(self) -> Floats:
        """Give how well n and n + 1 can be told apart by one cell, for n = 0 .. n_max - 1; from 0 to 1."""
        seen = self.outcomes()
        return np.asarray(np.abs(np.diff(seen, axis=0)).sum(axis=1) / 2)


class Mechanism(Protocol):
    """A way of protecting counts. `scale` is the most that one child can add to a cell.

    In order: `publish` draws each table's values; values of earlier releases take their place where they
    are frozen; `settle` looks at all tables together; `hides` says what a tier does not show. All but
    `publish`, and `imitate` in worlds of an attacker's own, read nothing but its results.
    """

    @property
    def name(self) -> str:
        """The name in policies and manifests."""
        ...

    @property
    def hidden_state(self) -> State:
        """The state of a hidden cell."""
        ...

    @property
    def moves_alone(self) -> bool:
        """Whether `settle` may move a number although nobody behind it changed."""
        ...

    def publish(self, counts: Counts, keys: Keys, scale: int = 1) -> Counts:
        """Turn true counts and cell keys, any one shape, into values of the same shape, to be settled."""
        ...

    def imitate(self, counts: Counts, keys: Keys, draw: np.random.Generator) -> Counts:
        """Publish as an attacker would who tries it out, repeatably and at no cost; scale 1."""
        ...

    def settle(self, values: Mapping[TableSpec, Counts], grid: Grid) -> dict[TableSpec, Counts]:
        """Give the values to publish, from those of all tables, shape (areas, periods, *categories)."""
        ...

    def hides(self, values: Counts, k: int | None) -> Bools:
        """Say which values a tier does not show that hides below k; None: one that has no threshold."""
        ...

    def visits(self, specs: Iterable[TableSpec]) -> int | None:
        """Give in how many cells of a table of encounters a child may count at most; None: in all."""
        ...

    def price(self, spec: TableSpec, specs: Iterable[TableSpec]) -> float:
        """Give the privacy (epsilon) that drawing one table of a plan costs a child at most."""
        ...

    def channel(self, n_max: int, scale: int = 1, k: int | None = None) -> Channel:
        """Give P(published | true) for true counts up to n_max."""
        ...

    def knowledge(self, scale: int = 1, k: int | None = None) -> Knowledge:
        """Give what an attacker knows of a cell, and what must stay open."""
        ...

    def parameters(self, scales: Sequence[int] = (1,)) -> dict[str, Any]:
        """Give everything about the mechanism that may be known, for the manifest; for some scales."""
        ...
