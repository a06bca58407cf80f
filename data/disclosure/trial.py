"""A release tried on counts that are known: what a policy would show of them, and what an attacker gets.

The first release of a world, in memory and of counted tables alone, in the steps of data/publish.py: noise,
threshold, numbers withheld until the attacks by bounds, averaging and mixture fail, and the public breakdowns
of counties where all numbers together would tell too much of one child. For invented worlds only: whoever
reads the result sees true counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.disclosure import manifest
from data.disclosure.attacks import membership
from data.disclosure.attacks.bounds import BoundsAttack, Published
from data.disclosure.attacks.membership import Advantage
from data.disclosure.attacks.suite import given_away
from data.disclosure.coarsen import Withheld, withhold_until_safe
from data.disclosure.grid import Grid
from data.disclosure.mechanism import Counts, Keys, Knowledge, Mechanism
from data.disclosure.plan import TIERS, Plan, TableSpec, Tier
from data.disclosure.policy import Policy
from data.disclosure.protect import ReleasedTable, code

__all__ = ["Counted", "Trial", "try_out"]

Tables = dict[TableSpec, ReleasedTable]


@dataclass(frozen=True, eq=False)
class Counted:
    """True counts and cell keys of the counted tables of a plan, each (areas, periods, *categories)."""

    grid: Grid
    plan: Plan
    counts: Mapping[TableSpec, Counts]
    keys: Mapping[TableSpec, Keys]

    @property
    def areas(self) -> pd.DataFrame:
        """Level and parent of each area, by code, for the attacks."""
        return self.grid.areas[["level", "parent"]]


@dataclass(frozen=True, eq=False)
class Trial:
    """What a policy made of a world.

    tables: as they would be published. planned, released: the advantage over the worst-placed child of each
    county or region, before and after the breakdowns of `quietened` ones were withheld.
    """

    world: Counted
    policy: Policy
    mechanism: Mechanism
    tables: Mapping[Tier, Tables]
    planned: Mapping[str, Advantage]
    released: Mapping[str, Advantage]
    quietened: frozenset[str]

    @property
    def withheld(self) -> dict[Tier, int]:
        """How many cells of each tier are withheld to protect others."""
        return {tier: sum(t.withheld for t in tables.values()) for tier, tables in self.tables.items()}


def try_out(
    world: Counted, policy: Policy, mechanism: Mechanism, worlds: Sequence[int] = membership.WORLDS
) -> Trial:
    """Release a world under a policy; `worlds` is how thorough the membership attack is (its WORLDS)."""
    values = mechanism.settle(_drawn(world, policy, mechanism), world.grid)
    tables = {tier: _tables(world, tier, values, policy, mechanism) for tier in TIERS}
    draft = _Draft(world, policy, mechanism, tables)
    draft.withhold()
    planned = draft.survey(worlds)
    loud = frozenset(a for a, found in planned.items() if found.high > membership.LIMITS[1])
    withheld = draft.quieten(loud)
    again = draft.survey(worlds, loud) if loud else {}
    return Trial(world, policy, mechanism, tables, planned, {**planned, **again}, withheld)


def _drawn(world: Counted, policy: Policy, mechanism: Mechanism) -> dict[TableSpec, Counts]:
    scale = {spec: policy.cap if spec.measure == "encounters" else 1 for spec in world.counts}
    return {s: mechanism.publish(c, world.keys[s], scale[s]) for s, c in world.counts.items()}


def _tables(
    world: Counted, tier: Tier, values: Mapping[TableSpec, Counts], policy: Policy, mechanism: Mechanism
) -> Tables:
    """Hide what a tier does not show; on the partner tier a zero says "none or almost none"."""
    k = policy.k if tier == "public" else None
    tables: Tables = {}
    for spec in (s for s in world.plan[tier] if s.counted):
        value = values[spec]
        state = np.full(value.shape, code("number"), np.int8)
        if k is None:
            state[value == 0] = code("almost_none")
        state[mechanism.hides(value, k)] = code(mechanism.hidden_state)
        number = np.where(state == code("number"), value.astype(np.float64), np.nan)
        tables[spec] = ReleasedTable(spec, world.grid, number, state)
    return tables


@dataclass(frozen=True, eq=False)
class _Draft:
    """Tables from which numbers are taken until they are safe."""

    world: Counted
    policy: Policy
    mechanism: Mechanism
    tables: Mapping[Tier, Tables]

    def published(self, tier: Tier) -> Published:
        """Give a tier as an attacker reads it."""
        told = manifest.knowledge(tier, self.policy, self.mechanism)
        known = {measure: Knowledge.of(values) for measure, values in told.items()}
        rows = {spec: table.arrow() for spec, table in self.tables[tier].items()}
        return Published("trial", rows, known, self.policy.k)

    def withhold(self) -> None:
        """Withhold until the attacks fail, partner tier first; what goes there goes publicly too."""
        gone: list[tuple[TableSpec, dict[str, str]]] = []
        for tier in TIERS:
            for spec, cell in gone:
                if spec in self.tables[tier]:
                    self.tables[tier][spec].withhold(cell)
            areas = self.world.areas
            taken, _ = withhold_until_safe(BoundsAttack.of([self.published(tier)], areas), 0)
            while True:
                gone += self._take(tier, taken)
                taken = given_away([self.published(tier)], areas, self.mechanism)
                if not taken:
                    break

    def _take(self, tier: Tier, taken: Withheld) -> list[tuple[TableSpec, dict[str, str]]]:
        by_name = {(str(s.measure), s.level, s.grain, s.breakdown): s for s in self.tables[tier]}
        cells = []
        for table, offset in taken:
            shape = table.shape
            spec = by_name[shape.measure, shape.level, shape.grain, shape.breakdown]
            self.tables[tier][spec].withhold(table.name(offset))
            cells.append((spec, table.name(offset)))
        return cells

    def survey(self, worlds: Sequence[int], regions: Collection[str] | None = None) -> dict[str, Advantage]:
        """Attack the worst-placed child of each county or region over all public tables."""
        now = self.published("public")
        return membership.survey(now, self.world.areas, self.mechanism, now.k, worlds=worlds, regions=regions)

    def quieten(self, loud: frozenset[str]) -> frozenset[str]:
        """Withhold the public breakdowns of some counties; give those that had any."""
        tables = self.tables["public"]
        by = [s for s in tables if s.measure == "children" and s.level == "region" and s.breakdown]
        for spec in by:
            for cell in tables[spec].cells_of(loud):
                tables[spec].withhold(cell)
        return loud if by else frozenset()
