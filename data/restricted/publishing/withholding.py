"""Withholding numbers of a release that is being made until the attacks fail. Behind the wall.

Noisy numbers are withheld where they give one another away. Where cells are hidden by a pattern, others are
hidden beside them, and it is proved that no sums give them away; what cannot be proved is not published.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from data.disclosure.attacks import membership
from data.disclosure.attacks.bounds import BoundsAttack, Finding, Published
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.attacks.membership import Advantage
from data.disclosure.attacks.suite import given_away
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.tables import Built
from data.restricted.publishing.withhold import Outcome, withhold_until_proved
from data.tables.spec import TIERS, TableSpec, Tier, table_name

__all__ = ["Searched", "Withholding", "withhold_cells"]

# For the proof of one tier. What is not proved by then is not published.
_PROOF_SECONDS = 600.0
_UNPROVED = "it could not be proved in time that sums of shown numbers leave it open"


@dataclass
class Searched:
    """How long a tier was searched for what to hide beside hidden cells, and what was not proved of it."""

    seconds: float = 0.0
    unproved: int = 0

    def as_dict(self) -> dict[str, float]:
        """Give plain values for a manifest."""
        return {"seconds": round(self.seconds, 2), "unproved": self.unproved}


def withhold_cells(
    built: Built, draft: Draft, earlier: Mapping[Tier, list[Published]], areas: pd.DataFrame
) -> dict[Tier, Searched]:
    """Withhold numbers until the attacks fail, partner tier first; what goes there goes everywhere.

    Gives how each tier was searched, where cells are hidden by a pattern. Raises ReleaseRefused then, with
    the cells that something gives away all the same, and those of which that could not be ruled out in time.
    """
    work = Withholding(built, draft, earlier, areas)
    for tier in sorted(built.tables, key=TIERS.index):
        if built.tables[tier]:
            work.withhold(tier)
    return work.searched


@dataclass(eq=False)
class Withholding:
    """The tables of a release, and what has gone from them so far.

    planned: of each county or region the advantage over its worst-placed child before anything was withheld
    for it; quietened: those for which something was. worlds: how thorough that attack is.
    """

    built: Built
    draft: Draft
    earlier: Mapping[Tier, list[Published]]
    areas: pd.DataFrame
    gone: dict[TableSpec, list[dict[str, str]]] = field(default_factory=dict)
    searched: dict[Tier, Searched] = field(default_factory=dict)
    worlds: Sequence[int] = membership.WORLDS
    planned: dict[str, Advantage] = field(default_factory=dict)
    quietened: frozenset[str] = frozenset()

    def withhold(self, tier: Tier) -> None:
        """Withhold numbers of a tier, and those that went from the one before."""
        for spec, cells in self.gone.items():
            for cell in cells if spec in self.built.tables[tier] else ():
                self._withhold(tier, spec, cell)
        self._until_nothing_shows(tier)
        if tier == "public" and self._quieten() and self.draft.by_pattern:
            self._until_nothing_shows(tier)

    def _until_nothing_shows(self, tier: Tier) -> None:
        self._take(tier, self._search(tier))
        # Read anew: what earlier releases showed of a cell is known although it is withheld now.
        while given := given_away(self._releases(tier), self.areas, self.draft.mechanism):
            self._take(tier, given)
            if self.draft.by_pattern:
                self._take(tier, self._search(tier))

    def _releases(self, tier: Tier) -> list[Published]:
        return [*self.earlier[tier], self.draft.published(tier, self.built.tables[tier])]

    def _search(self, tier: Tier) -> Iterable[tuple[Table, int]]:
        """Find what to withhold so that no sum gives a cell away."""
        system = BoundsAttack.of(self._releases(tier), self.areas)
        outcome = withhold_until_proved(system, len(self.earlier[tier]), _PROOF_SECONDS)
        if self.draft.by_pattern:
            searched = self.searched.setdefault(tier, Searched())
            searched.seconds += outcome.seconds
            searched.unproved = len(outcome.unproved)
            if found := [*system.findings(outcome.failed), *_unproved(system, outcome)]:
                raise self.draft.refusal(found)
        return outcome.taken

    def _take(self, tier: Tier, taken: Iterable[tuple[Table, int]]) -> None:
        by_name = {(str(s.measure), s.level, s.grain, s.breakdown): s for s in self.built.tables[tier]}
        for table, offset in taken:
            shape, cell = table.shape, table.name(offset)
            spec = by_name[shape.measure, shape.level, shape.grain, shape.breakdown]
            self._withhold(tier, spec, cell)
            self.gone.setdefault(spec, []).append(cell)

    def _quieten(self) -> bool:
        """Withhold publicly where all numbers of an area together may tell too much of a child.

        First the breakdowns of the area, then its years, so that the number of the whole time is left.
        """
        tables = self.built.tables["public"]
        totals = [spec for spec in tables if spec.measure == "children" and spec.level == "region"]
        years = [spec for spec in totals if spec.grain != "whole" and not spec.breakdown]
        telling: Collection[str] | None = None
        for specs in ([spec for spec in totals if spec.breakdown], years):
            found = self.survey(telling)
            self.planned = self.planned or found
            telling = {area for area, advantage in found.items() if advantage.high > membership.LIMITS[1]}
            for spec in specs if telling else ():
                self.quietened |= telling
                for cell in tables[spec].cells_of(telling):
                    self._withhold("public", spec, cell)
        return bool(self.quietened)

    def survey(self, regions: Collection[str] | None = None) -> dict[str, Advantage]:
        """Attack the worst-placed child of each county or region over all public tables."""
        now = self.draft.published("public", self.built.tables["public"])
        return membership.survey(
            now, self.areas, self.draft.mechanism, now.k, regions=regions, worlds=self.worlds
        )

    def _withhold(self, tier: Tier, spec: TableSpec, cell: Mapping[str, str]) -> None:
        self.built.tables[tier][spec].withhold(cell)
        if self.built.frozen is not None:
            self.built.frozen.withhold(spec, tier, cell)


def _unproved(system: BoundsAttack, outcome: Outcome) -> Iterable[Finding]:
    for unknown in outcome.unproved:
        table, offset = system.lattice.cell(int(unknown))
        shape = table.shape
        name = table_name(shape.measure, shape.level, shape.grain, *shape.breakdown)
        yield Finding("crossing", name, table.name(offset), _UNPROVED)
