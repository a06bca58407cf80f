"""Withholding numbers of a release that is being made until the attacks fail. Behind the wall."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from data.disclosure.attacks import membership
from data.disclosure.attacks.bounds import BoundsAttack, Published
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.attacks.membership import Advantage
from data.disclosure.attacks.suite import given_away
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.tables import Built
from data.restricted.publishing.withhold import withhold_until_safe
from data.tables.spec import TIERS, TableSpec, Tier


def withhold_cells(
    built: Built, draft: Draft, earlier: Mapping[Tier, list[Published]], areas: pd.DataFrame
) -> None:
    """Withhold numbers until the attacks fail, partner tier first; what goes there goes everywhere."""
    work = Withholding(built, draft, earlier, areas)
    for tier in sorted(built.tables, key=TIERS.index):
        if built.tables[tier]:
            work.withhold(tier)


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
    worlds: Sequence[int] = membership.WORLDS
    planned: dict[str, Advantage] = field(default_factory=dict)
    quietened: frozenset[str] = frozenset()

    def withhold(self, tier: Tier) -> None:
        """Withhold numbers of a tier, and those that went from the one before."""
        for spec, cells in self.gone.items():
            for cell in cells if spec in self.built.tables[tier] else ():
                self._withhold(tier, spec, cell)
        self._until_nothing_shows(tier)
        if tier == "public":
            self._quieten()

    def _until_nothing_shows(self, tier: Tier) -> None:
        self._take(tier, self._search(tier))
        # Read anew: what earlier releases showed of a cell is known although it is withheld now.
        while given := given_away(self._releases(tier), self.areas, self.draft.mechanism):
            self._take(tier, given)

    def _releases(self, tier: Tier) -> list[Published]:
        return [*self.earlier[tier], self.draft.published(tier, self.built.tables[tier])]

    def _search(self, tier: Tier) -> Iterable[tuple[Table, int]]:
        """Find what to withhold so that no sum gives a cell away."""
        system = BoundsAttack.of(self._releases(tier), self.areas)
        taken, _ = withhold_until_safe(system, len(self.earlier[tier]))
        return taken

    def _take(self, tier: Tier, taken: Iterable[tuple[Table, int]]) -> None:
        by_name = {(str(s.measure), s.level, s.grain, s.breakdown): s for s in self.built.tables[tier]}
        for table, offset in taken:
            shape, cell = table.shape, table.name(offset)
            spec = by_name[shape.measure, shape.level, shape.grain, shape.breakdown]
            self._withhold(tier, spec, cell)
            self.gone.setdefault(spec, []).append(cell)

    def _quieten(self) -> None:
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
