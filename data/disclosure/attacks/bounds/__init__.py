"""The bounds attack: the values that all published numbers together allow for each cell.

The attacker reads every release of a tier up to the one under attack, and knows the largest perturbation,
the threshold and all sums. The attack succeeds on a cell whose remaining interval is narrower than the
protection interval (Knowledge in data/disclosure/channel.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.disclosure.attacks.bounds.lattice import Lattice, Learned, Table
from data.disclosure.attacks.bounds.system import Bounds, System, Ties
from data.disclosure.channel import Knowledge
from data.message import Message, join_messages
from data.tables.periods import Period
from data.tables.spec import COUNTED, TableSpec, find_knowledge
from data.tables.states import STATES
from data.workspace.types import Ints

__all__ = ["BoundsAttack", "Finding", "Learned", "Published", "list_findings"]

_FEW = STATES.index("few")
_SHOWN = [STATES.index(s) for s in ("number", "almost_none", "not_searched", "withheld")]


@dataclass(frozen=True)
class Published:
    """One release of one tier as the attacker reads it.

    tables: the tables of counts by their specification, with the columns area, period, the columns of the breakdown,
    value and state. knowledge: what is known of the noise of each measure (`find_knowledge`). k: the threshold of the
    policy. frozen: whether published numbers are repeated in later releases. final: the last day of the years that are
    final (ISO 8601); empty if all numbers are final. estimates: the tables of estimated numbers, by specification.
    k_before: the lower thresholds under which earlier releases showed periods of tables, in releases that are joined.
    """

    name: str
    tables: Mapping[TableSpec, pa.Table]
    knowledge: Mapping[str, Knowledge]
    k: int
    frozen: bool = True
    final: str = ""
    estimates: Mapping[TableSpec, pa.Table] = field(default_factory=dict)
    k_before: Mapping[tuple[TableSpec, str], int] = field(default_factory=dict)

    def find_knowledge(self, spec: TableSpec) -> Knowledge:
        """Return what is known of the numbers of a table. Raises KeyError if its measure has no noise."""
        known = find_knowledge(self.knowledge, spec.measure, spec.level, spec.grain)
        return known or self.knowledge[spec.measure]

    def threshold(self, spec: TableSpec, period: str) -> int:
        """Return the lowest threshold under which a period of a table was ever published."""
        return self.k_before.get((spec, period), self.k)

    def is_provisional(self, period: str) -> bool:
        """Return whether the numbers of a period (its identifier) are provisional: its year is not final yet."""
        return bool(self.final) and Period.parse(period).end.isoformat() > self.final


@dataclass(frozen=True)
class Finding:
    """A cell on which an attack succeeded, and the reason in words without any count."""

    attack: str
    table: str
    cell: Mapping[str, str]
    reason: Message

    @property
    def words(self) -> Message:
        """The finding as one line of text."""
        where = ", ".join(self.cell.values())
        return join_messages([f"{self.table} ({where})", self.reason], ": ")


def list_findings(attack: str, table: str, cells: pd.DataFrame, reason: Message) -> Iterator[Finding]:
    """Yield a finding for each row of `cells`, whose columns identify a cell of a table."""
    for cell in cells.to_dict("records"):
        yield Finding(attack, table, {str(name): str(value) for name, value in cell.items()}, reason)


@dataclass(eq=False)
class BoundsAttack:
    """The system of unknown counts of one tier, to be solved and judged for its last release.

    knowledge: that of the last release, by measure. last: the number of the last release, from 0.
    """

    lattice: Lattice
    system: System
    knowledge: Mapping[str, Knowledge]
    last: int

    @classmethod
    def from_releases(
        cls, releases: Sequence[Published], areas: pd.DataFrame, learned: Sequence[Learned] = ()
    ) -> BoundsAttack:
        """Build the system from releases (the first is the oldest); `areas` has code (index), level and parent.

        learned: what the attacker knows about counts from other sources.
        """
        periods: dict[str, set[str]] = {}
        places: dict[str, set[str]] = {}
        for release in releases:
            for spec, rows in release.tables.items():
                periods.setdefault(spec.grain, set()).update(rows["period"].unique().to_pylist())
                places.setdefault(spec.level, set()).update(rows["area"].unique().to_pylist())
        lattice = Lattice(
            dict(areas["parent"]),
            dict(areas["level"]),
            {g: tuple(sorted(p)) for g, p in periods.items()},
            {level: frozenset(codes) for level, codes in places.items()},
        )
        for number, release in enumerate(releases):
            for spec, every_row in release.tables.items():
                rows = _drop_superseded(every_row, release, releases[-1])
                if spec.measure in COUNTED and len(rows):
                    lattice.observe(number, spec, rows, release.find_knowledge(spec), release.frozen)
        for fact in learned:
            lattice.learn(fact)
        ties = Ties.join(lattice.list_ties())  # adds unknowns
        system = System(*lattice.first_intervals(), ties)
        return cls(lattice, system, releases[-1].knowledge, len(releases) - 1)

    def judge(self, bounds: Bounds) -> Ints:
        """Return the indices of unknowns in the last release with an interval narrower than the protection interval."""
        failed = []
        for table in self.lattice.tables.values():
            knowledge = find_knowledge(self.knowledge, table.shape.measure, table.shape.level, table.shape.grain)
            if knowledge is not None:
                here = self._failed(table, knowledge, bounds)
                failed.append(table.base + here[table.listed.ravel()[here] == self.last])
        return np.concatenate(failed) if failed else np.zeros(0, np.int64)

    def _failed(self, table: Table, knowledge: Knowledge, bounds: Bounds) -> Ints:
        here = slice(table.base, table.base + table.state.size)
        low, high, state = bounds.low[here], bounds.high[here], table.state.ravel()
        closed = (low > knowledge.open_from) | (high < table.open_to.ravel())
        narrow = high - low + 1 < knowledge.open_values
        return np.flatnonzero(((state == _FEW) & closed) | (np.isin(state, _SHOWN) & narrow))

    def report(self, failed: Ints) -> list[Finding]:
        """Return a finding for each of the unknowns in `failed` that is a cell of a table.

        `failed`: indices, see `judge`. The reason of a finding contains no count.
        """
        findings = []
        for unknown in failed:
            place = self.lattice.find(int(unknown))
            if place is not None:
                table, offset = place
                reason = Message(
                    "totals and neighbouring cells rule out some of the values below the threshold"
                    if table.state.ravel()[offset] == _FEW
                    else "other cells show the true number more closely than its own margin"
                )
                findings.append(Finding("bounds", table.shape.name, table.name(offset), reason))
        return findings


def _drop_superseded(rows: pa.Table, release: Published, last: Published) -> pa.Table:
    """Return rows without provisional numbers of periods that are final in the last release.

    The final numbers describe other records, so both numbers together reveal only probabilities, which the averaging
    attack computes.
    """
    periods = rows["period"].unique().to_pylist()
    superseded = [p for p in periods if release.is_provisional(p) and not last.is_provisional(p)]
    return rows.filter(pc.invert(pc.is_in(rows["period"], pa.array(superseded, pa.string())))) if superseded else rows
