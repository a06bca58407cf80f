"""A trial of a policy on an invented world: how much of the true counts it shows, and what an attacker learns.

Makes the first release of a world in memory, with counted tables only, in the steps of data/restricted/publishing:
noise, threshold, and numbers withheld until the attacks fail. For invented worlds only: the result contains true
counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.disclosure.attacks import membership
from data.disclosure.attacks.membership.attacker import Advantage
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.restricted.counting.encounters import CountedTables
from data.restricted.publishing import published_table
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.frozen import sum_years
from data.restricted.publishing.published_table import Tables
from data.restricted.publishing.tables import perturb_tables
from data.restricted.publishing.withholding import survey_public, withhold_cells
from data.tables.spec import TIERS, TableSpec, Tier
from data.workspace.types import Ints


@dataclass(frozen=True, eq=False)
class Trial:
    """The tables of an invented world under a policy, and what an attacker gains from them.

    tables: the tables as they would be published. planned, released: the attacker's advantage (from 0 to 1) for the
    most exposed child of each county or region, before and after breakdowns were withheld. quietened: the areas with
    withheld breakdowns.
    """

    world: CountedTables
    policy: Policy
    mechanism: CellKey
    tables: Mapping[Tier, Tables]
    planned: Mapping[str, Advantage]
    released: Mapping[str, Advantage]
    quietened: frozenset[str]

    @property
    def withheld(self) -> dict[Tier, int]:
        """The number of cells of each tier that are withheld to protect others."""
        return {tier: sum(t.withheld for t in tables.values()) for tier, tables in self.tables.items()}


def try_policy(
    world: CountedTables, policy: Policy, mechanism: CellKey, worlds: Sequence[int] = membership.WORLDS
) -> Trial:
    """Compute the release of a world under a policy.

    worlds: numbers of worlds for the membership attack; the next one is used while the limit is within the interval.
    """
    noisy = perturb_tables(world, policy, mechanism)
    noisy |= sum_years(noisy, world.plan, world.grid, policy)
    tables = {tier: _tabulate(world, tier, noisy, policy, mechanism) for tier in TIERS}
    draft = Draft.for_trial(policy, world.plan, mechanism, world.grid)
    areas = world.grid.areas[["level", "parent"]]
    safe = withhold_cells(tables, draft, {tier: [] for tier in TIERS}, areas, worlds)
    again = survey_public(safe.tables["public"], draft, areas, worlds, safe.quietened) if safe.quietened else {}
    released = {**safe.planned, **again}
    return Trial(world, policy, mechanism, safe.tables, safe.planned, released, safe.quietened)


def _tabulate(
    world: CountedTables, tier: Tier, noisy: Mapping[TableSpec, Ints], policy: Policy, mechanism: CellKey
) -> Tables:
    """Return the tables of a tier, as if every place had been searched."""
    tables: Tables = {}
    for spec in (s for s in world.plan[tier] if s.counted):
        searched = np.ones(noisy[spec].shape[:2], bool)  # so that no total matters
        tables[spec] = published_table.tabulate_counts(
            spec, noisy[spec], searched.astype(np.int64), searched, world.grid, tier, policy, mechanism
        )
    return tables
