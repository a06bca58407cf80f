"""A release tried on counts that are known: what a policy would show of them, and what an attacker gets.

The first release of a world, in memory and of counted tables alone, in the steps of data/restricted/publishing/__init__.py: noise,
threshold, and numbers withheld until the attacks fail (data/restricted/publishing/withholding.py). For invented worlds
only: whoever reads the result sees true counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.disclosure.attacks import membership
from data.disclosure.attacks.membership import Advantage
from data.disclosure.cell_key import CellKey
from data.disclosure.channel import Counts, Keys
from data.disclosure.policy import Policy
from data.restricted.publishing import published_table
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.tables import Built, Tables, scale_of
from data.restricted.publishing.withholding import Withholding
from data.tables.grid import Grid
from data.tables.spec import TIERS, Plan, TableSpec, Tier

__all__ = ["Counted", "Trial", "try_out"]


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
    mechanism: CellKey
    tables: Mapping[Tier, Tables]
    planned: Mapping[str, Advantage]
    released: Mapping[str, Advantage]
    quietened: frozenset[str]

    @property
    def withheld(self) -> dict[Tier, int]:
        """How many cells of each tier are withheld to protect others."""
        return {tier: sum(t.withheld for t in tables.values()) for tier, tables in self.tables.items()}


def try_out(
    world: Counted, policy: Policy, mechanism: CellKey, worlds: Sequence[int] = membership.WORLDS
) -> Trial:
    """Release a world under a policy; `worlds` is how thorough the membership attack is (its WORLDS)."""
    values = _drawn(world, policy, mechanism)
    tables = {tier: _tables(world, tier, values, policy, mechanism) for tier in TIERS}
    draft = Draft.of_trial(policy, world.plan, mechanism)
    work = Withholding(Built(tables, None), draft, {tier: [] for tier in TIERS}, world.areas, worlds=worlds)
    for tier in TIERS:
        work.withhold(tier)
    again = work.survey(work.quietened) if work.quietened else {}
    return Trial(world, policy, mechanism, tables, work.planned, {**work.planned, **again}, work.quietened)


def _drawn(world: Counted, policy: Policy, mechanism: CellKey) -> dict[TableSpec, Counts]:
    return {
        spec: mechanism.publish(counts, world.keys[spec], scale_of(spec.measure, policy))
        for spec, counts in world.counts.items()
    }


def _tables(
    world: Counted, tier: Tier, values: Mapping[TableSpec, Counts], policy: Policy, mechanism: CellKey
) -> Tables:
    """Give the states of a tier; somebody looked everywhere."""
    tables: Tables = {}
    for spec in (s for s in world.plan[tier] if s.counted):
        searched = np.ones(values[spec].shape[:2], bool)  # so that no total matters
        tables[spec] = published_table.counted(
            spec, values[spec], searched.astype(np.int64), searched, world.grid, tier, policy, mechanism
        )
    return tables
