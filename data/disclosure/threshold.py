"""Threshold and complementary suppression: exact numbers, none of them small, and none that gives one away.

Cells below k are hidden, and beside them as many others as it takes that no sum of shown numbers closes in
on them (Hundepool and others, "Statistical Disclosure Control", 2012, chapter 4). Both kinds look alike: a
reader never learns from a cell's state that it is small. The others are found by withhold_until_proved in
data/restricted/publishing/withhold.py, which reads what is shown and nothing else. Shown numbers add up exactly. There
is no protection in the method but this: who knows all other children of a shown cell knows the last one, so
that releases lean on the frozen numbers all the more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.disclosure.channel import UNKNOWN, Channel, Counts, Keys, Knowledge
from data.disclosure.policy import LOWEST_K
from data.errors import InputError
from data.tables.grid import Grid
from data.tables.spec import TableSpec
from data.tables.states import State
from data.workspace.types import Bools

__all__ = ["Threshold"]


@dataclass(frozen=True)
class Threshold:
    """Hide counts below k and what would give them away; see the module.

    k holds on both tiers, since the numbers are exact. zeros_shown: a true zero is shown; the safe default
    hides it among the small ones. beside: how often a count of k or more is hidden beside others, for the
    channel alone; the default is that of the partner tier of an invented world (benchmarks/threshold.py).
    """

    k: int = LOWEST_K
    zeros_shown: bool = False
    beside: float = 0.1

    def __post_init__(self) -> None:
        limits = (
            (self.k >= LOWEST_K, f"k = {self.k}; the least is {LOWEST_K}"),
            (0 <= self.beside < 1, f"beside = {self.beside}; it is a share from 0 to less than 1"),
        )
        wrong = [words for holds, words in limits if not holds]
        if wrong:
            msg = f"The threshold cannot be used: {'; '.join(wrong)}."
            raise InputError(msg)

    @property
    def name(self) -> str:
        """The name in policies and manifests."""
        return "threshold"

    @property
    def hidden_state(self) -> State:
        """A hidden cell does not say whether it is small."""
        return "withheld"

    @property
    def moves_alone(self) -> bool:
        """A number stands still unless its count changes."""
        return False

    def publish(self, counts: Counts, keys: Keys, scale: int = 1) -> Counts:  # noqa: ARG002
        """Give the counts themselves: what protects them is what `hides` and the search for others hide."""
        return counts.copy()

    def imitate(self, counts: Counts, keys: Keys, draw: np.random.Generator) -> Counts:  # noqa: ARG002
        """Give the counts themselves, of which a reader sees no more than that: others are hidden too."""
        return counts.copy()

    def settle(self, values: Mapping[TableSpec, Counts], grid: Grid) -> dict[TableSpec, Counts]:  # noqa: ARG002
        """Leave all as it is: exact numbers add up."""
        return dict(values)

    def hides(self, values: Counts, k: int | None) -> Bools:
        """Hide what is below k, on each tier; zero among it unless zeros are shown."""
        return (values < self._k(k)) & (values >= self._least)

    def visits(self, specs: Iterable[TableSpec]) -> None:
        """Let a child count wherever it was met."""

    def price(self, spec: TableSpec, specs: Iterable[TableSpec]) -> float:  # noqa: ARG002
        """Cost nothing: there is no privacy budget."""
        return 0.0

    def channel(self, n_max: int, scale: int = 1, k: int | None = None) -> Channel:  # noqa: ARG002
        """Give P(published | true) for true counts up to n_max.

        Exact below k. Whether a larger count is hidden depends on the cells around it; `beside` stands for
        that, and its mass lies on a value that is hidden.
        """
        least = self._k(k)
        matrix = np.eye(n_max + 1)
        matrix[least:] *= 1 - self.beside
        matrix[least:, 1:2] += self.beside
        return Channel(matrix, 0, least, self.zeros_shown)

    def knowledge(self, scale: int = 1, k: int | None = None) -> Knowledge:
        """Give the intervals: a hidden cell may hold anything, and each value up to k must stay feasible."""
        return Knowledge(0, self._least, UNKNOWN, self._least, self._k(k), 1, scale)

    def parameters(self, scales: Sequence[int] = (1,)) -> dict[str, Any]:  # noqa: ARG002
        """Give everything about the mechanism."""
        return {
            "mechanism": self.name,
            "k": self.k,
            "zeros_shown": self.zeros_shown,
            "beside": self.beside,
            "variance": 0,
            "largest": 0,
            "adds_up": True,
        }

    def _k(self, k: int | None) -> int:
        return max(self.k, k or 0)

    @property
    def _least(self) -> int:
        return int(self.zeros_shown)
