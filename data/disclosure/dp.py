"""Differential privacy: two-sided geometric noise on each count, then sums that hold.

The noise is drawn by OpenDP (an extra: pip install "tact-map[dp]"), from the operating system's randomness
and nothing else. P(noise = d) is proportional to exp(-|d| * epsilon / scale): epsilon is what one cell
costs a child that counts in it, where it adds `scale` at most (Ghosh, Roughgarden and Sundararajan, 2009).
A child counts in many cells; what it loses in all is epsilon times their number, which is bounded, stated
and booked in a ledger. A number is drawn once and repeated; drawing it again spends again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.disclosure._consistency import consistent
from data.disclosure.channel import Channel, Counts, Keys, Knowledge
from data.errors import InputError, ReleaseError, other_format
from data.tables.grid import Grid
from data.tables.spec import TableSpec
from data.tables.states import State
from data.workspace.types import Bools

__all__ = ["Dp", "Ledger", "Spent", "bounded"]

# Noise beyond this is left out of the channel and of what the attacks assume: once in a billion cells.
_TAIL = 1e-9
_MOST = 10.0
_FORMAT = 1


@dataclass(frozen=True)
class Dp:
    """Noise with a privacy budget; see the module.

    epsilon: of one count. cells: in how many cells of all tables a child counts at most. A child counts in
    one cell of each table of children, flows and the model by definition; what is left of `cells` is shared
    among the tables of encounters, see `visits`.
    """

    epsilon: float = 1.0
    cells: int = 80

    def __post_init__(self) -> None:
        limits = (
            (0 < self.epsilon <= _MOST, f"epsilon = {self.epsilon}; it is more than 0, {_MOST:g} at most"),
            (self.cells >= 1, f"cells = {self.cells}; the least is 1"),
        )
        wrong = [words for holds, words in limits if not holds]
        if wrong:
            msg = f"Differential privacy cannot be used so: {'; '.join(wrong)}."
            raise InputError(msg)

    @property
    def name(self) -> str:
        """The name in policies and manifests."""
        return "dp"

    @property
    def hidden_state(self) -> State:
        """A hidden cell says that its number is small."""
        return "few"

    @property
    def moves_alone(self) -> bool:
        """A number follows its neighbours' when sums are made to hold; the draws themselves stand still."""
        return True

    def largest(self, scale: int = 1) -> int:
        """Give the distance from the truth that noise passes once in a billion cells."""
        rate = self._rate(scale)
        return int(np.ceil(np.log(_TAIL * (1 + rate) / 2) / np.log(rate)))

    def publish(self, counts: Counts, keys: Keys, scale: int = 1) -> Counts:  # noqa: ARG002
        """Draw noise for each cell and add it; below zero too, until `settle`. Each call spends anew."""
        try:
            import opendp.prelude as dp
        except ImportError:
            msg = 'Differential privacy needs OpenDP. Install it with: pip install "tact-map[dp]"'
            raise ReleaseError(msg) from None
        dp.enable_features("contrib")
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
        draw = dp.m.make_laplace(*space, scale=scale / self.epsilon)
        return np.array(draw(counts.ravel().tolist()), np.int64).reshape(counts.shape)

    def imitate(self, counts: Counts, keys: Keys, draw: np.random.Generator) -> Counts:  # noqa: ARG002
        """Add noise from a generator; what is below zero is zero. Needs no OpenDP, and protects nobody."""
        chance = 1 - self._rate(1)
        noise = draw.geometric(chance, counts.shape) - draw.geometric(chance, counts.shape)
        return np.maximum(counts + noise, 0)

    def settle(self, values: Mapping[TableSpec, Counts], grid: Grid) -> dict[TableSpec, Counts]:
        """Make parts add up to their totals, nothing below zero; costs no privacy."""
        return consistent(values, grid)

    def hides(self, values: Counts, k: int | None) -> Bools:
        """Hide what is below k, zero among it."""
        return values < (k or 0)

    def channel(self, n_max: int, scale: int = 1, k: int | None = None) -> Channel:
        """Give P(published | true) for true counts up to n_max: of a drawn value, with zero for all below.

        Making sums hold moves a number further, nearer to the truth on average; the channel, which knows
        one cell alone, is then on the cautious side.
        """
        reach, rate = self.largest(scale), self._rate(scale)
        noise = rate ** np.abs(np.arange(-reach, reach + 1)) * (1 - rate) / (1 + rate)
        noise[[0, -1]] /= 1 - rate  # all that lies beyond
        matrix = np.zeros((n_max + 1, n_max + reach + 1))
        for count in range(n_max + 1):
            np.add.at(matrix[count], np.maximum(count + np.arange(-reach, reach + 1), 0), noise)
        return Channel(matrix, reach, k)

    def knowledge(self, scale: int = 1, k: int | None = None) -> Knowledge:
        """Give the intervals: noise has no end, so these are what an attacker would bet on."""
        reach = self.largest(scale)
        below = k or 1
        return Knowledge(reach, 0, below - 1 + reach, 0, below - 1, reach + 1, scale)

    def parameters(self, scales: Sequence[int] = (1,)) -> dict[str, Any]:
        """Give everything about the mechanism; `largest` for each scale."""
        rate = self._rate(1)
        return {
            "mechanism": self.name,
            "epsilon": self.epsilon,
            "cells": self.cells,
            "epsilon_of_a_child": self.epsilon * self.cells,
            "variance": 2 * rate / (1 - rate) ** 2,
            "largest": self.largest(),
            "reach": {str(scale): self.largest(scale) for scale in sorted({1, *scales})},
            "adds_up": True,
        }

    def visits(self, specs: Iterable[TableSpec]) -> int:
        """Give in how many cells of each table of encounters a child may count.

        Raises ReleaseError when the tables of a plan hold a child in more cells than stated already.
        """
        tables = [spec for spec in set(specs) if spec.counted]
        several = sum(spec.measure == "encounters" for spec in tables)
        once = len(tables) - several
        left = self.cells - once
        if left < several:
            msg = (
                f"A child counts in {once + several} cells of this plan at least, and {self.cells} are "
                "allowed. Take tables out of the plan, or raise cells."
            )
            raise ReleaseError(msg)
        return left // several if several else 0

    def price(self, spec: TableSpec, specs: Iterable[TableSpec]) -> float:
        """Give what drawing a table, or blocks of it, costs a child at most."""
        return self.epsilon * (self.visits(specs) if spec.measure == "encounters" else 1)

    def _rate(self, scale: int) -> float:
        return float(np.exp(-self.epsilon / scale))


def bounded(
    child: npt.NDArray[np.integer], cell: npt.NDArray[np.integer], most: int
) -> npt.NDArray[np.bool_]:
    """Say which pairs of child and cell to keep so that no child counts in more than `most` cells.

    One entry a pair, each pair once. A child keeps those of its cells that come first, whatever the order
    of the rows and whoever else there is.
    """
    order = np.lexsort((cell, child))
    place = np.arange(len(order))
    begins = np.flatnonzero(np.diff(child[order], prepend=-1))
    nth = place - np.repeat(begins, np.diff(begins, append=len(order)))
    kept = np.zeros(len(order), bool)
    kept[order] = nth < most
    return kept


@dataclass(frozen=True)
class Spent:
    """One entry of a ledger: what was drawn, and what it costs a child at most."""

    what: str
    epsilon: float


@dataclass(frozen=True)
class Ledger:
    """All that was ever drawn, oldest first; kept with the frozen numbers, and never shortened.

    Costs add up (sequential composition): a child counts in few cells of a table, but a corrected record
    may move it to another cell by the next time. limit: the most that may ever be spent; None: no end.
    """

    entries: tuple[Spent, ...] = ()
    limit: float | None = None

    @property
    def epsilon(self) -> float:
        """The privacy spent so far, on the child that lost most."""
        return float(sum(entry.epsilon for entry in self.entries))

    def spend(self, what: str, epsilon: float) -> Ledger:
        """Book a draw; raise ReleaseError when it passes the limit. Book before drawing."""
        if self.limit is not None and self.epsilon + epsilon > self.limit * (1 + 1e-12):
            msg = (
                f"Drawing {what} costs {epsilon:g}, and {self.epsilon:g} of {self.limit:g} are spent. "
                "Nothing more can be drawn. Keep to the releases that there are, or decide on a higher limit "
                "(budget in the policy)."
            )
            raise ReleaseError(msg)
        return Ledger((*self.entries, Spent(what, epsilon)), self.limit)

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        entries = [{"what": entry.what, "epsilon": entry.epsilon} for entry in self.entries]
        return {"limit": self.limit, "spent": self.epsilon, "entries": entries}

    def encode(self) -> bytes:
        """Pack it for the vault."""
        return json.dumps({"format": _FORMAT, **self.as_dict()}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, blob: bytes) -> Ledger:
        """Unpack it; raise ReleaseError when it was packed by another version."""
        values = json.loads(blob)
        if values["format"] != _FORMAT:
            raise ReleaseError(other_format("the privacy spent", values["format"], _FORMAT))
        return cls.of(values)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Ledger:
        """Read it from JSON."""
        entries = tuple(Spent(str(e["what"]), float(e["epsilon"])) for e in values["entries"])
        return cls(entries, None if values["limit"] is None else float(values["limit"]))
