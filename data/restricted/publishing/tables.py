"""The steps of a release after counting: the noise, then the tables of each tier. Behind the wall."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.errors import ReleaseError
from data.message import Message
from data.restricted.counting.encounters import CountedTables
from data.restricted.counting.other_records import Effort, Services
from data.restricted.publishing import published_table
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.frozen import Frozen
from data.restricted.publishing.published_table import ReleasedTable, Tables, find_outside
from data.restricted.publishing.records import Records
from data.tables.spec import TableSpec, Tier
from data.workspace.types import Ints


def refuse_false_zeros(frozen: Frozen, policy: Policy) -> None:
    """Raise ReleaseError if a number of children, with its noise, is k or more in an area without a programme.

    A zero would be shown in place of their number, and what is left of the total of its country would tell it. The
    numbers are the noisy ones: whether an area is taken out of the policy, which all can see, must not depend on one
    child. What is below k stays a zero.
    """

    def is_false(spec: TableSpec, values: Ints, areas: Collection[str]) -> bool:
        return bool((values[find_outside(spec, frozen.grid, areas)] >= policy.k).any())

    false_tables = [
        (spec, values)
        for spec, values in frozen.numbers.items()
        if spec.measure == "children" and is_false(spec, values, policy.no_programme)
    ]
    false = [area for area in sorted(policy.no_programme) if any(is_false(*table, [area]) for table in false_tables)]
    if false:
        raise ReleaseError(
            Message(
                "The policy says that the programme does not work in {areas}, and a number of children there, with its "
                "noise, is {k} or more. Nothing was published: it would be shown as zero. Take these areas out of "
                "no_programme in policy.toml, or correct the records.",
                areas=", ".join(false),
                k=policy.k,
            )
        )


def perturb_tables(counted: CountedTables, policy: Policy, mechanism: CellKey) -> dict[TableSpec, Ints]:
    """Return the noisy values of all counted tables, by table, each (areas, periods, *categories)."""
    return {
        spec: mechanism.publish(counts, counted.keys[spec], policy.scale(spec.measure))
        for spec, counts in counted.counts.items()
    }


def tabulate(draft: Draft, records: Records, frozen: Frozen) -> dict[Tier, Tables]:
    """Return the tables of each tier; cells withheld since an earlier release stay withheld."""
    return {tier: _tabulate_tier(tier, draft, records, frozen) for tier in draft.plan}


def _tabulate_tier(tier: Tier, draft: Draft, records: Records, frozen: Frozen) -> Tables:
    grid, policy = records.grid, draft.policy
    tables: Tables = {}
    for spec in draft.plan[tier]:
        if spec.counted:
            total = frozen.numbers[TableSpec("children", spec.level, spec.grain)]
            # All true if no outreach was ever recorded.
            days = records.effort.days(spec.level, spec.grain)
            searched = days > 0 if len(records.effort.amount) else np.ones(days.shape, bool)
            tables[spec] = published_table.tabulate_counts(
                spec, frozen.numbers[spec], total, searched, grid, tier, policy, draft.mechanism
            ).without(frozen.withheld(spec, tier))
        elif spec.measure == "effort":
            tables[spec] = _tabulate_effort(spec, records.effort, tier)
        elif spec.measure == "dark_figure":
            tables[spec] = published_table.tabulate_intervals(spec, frozen.numbers[spec], grid)
        elif spec.measure == "communities":
            tables[spec] = published_table.tabulate_estimates(spec, *records.communities.range(spec), grid)
        else:
            tables[spec] = _tabulate_services(spec, records.services, tier, policy)
    return tables


def _tabulate_effort(spec: TableSpec, effort: Effort, tier: Tier) -> ReleasedTable:
    days = effort.days(spec.level, spec.grain)
    if not len(effort.amount):
        days = np.full(days.shape, np.nan)
    if tier == "public":
        return published_table.tabulate_classes(spec, days, effort.grid)
    return published_table.tabulate_exact(spec, days, effort.grid, "not_searched")


def _tabulate_services(spec: TableSpec, services: Services, tier: Tier, policy: Policy) -> ReleasedTable:
    sums = services.table(spec, policy.operators)
    tabulate_numbers = published_table.tabulate_classes if tier == "public" else published_table.tabulate_sums
    if not len(services.axis):
        nothing = np.zeros(sums.numbers.shape, bool)
        return tabulate_numbers(spec, np.full(nothing.shape, np.nan), services.grid, nothing, nothing)
    return tabulate_numbers(spec, sums.numbers, services.grid, sums.withheld, sums.partial)
