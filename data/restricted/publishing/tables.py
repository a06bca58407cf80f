"""From the vault's records to the tables of both tiers, before anything is written. Behind the wall."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.errors import ReleaseError
from data.restricted.counting import encounters as aggregate
from data.restricted.counting.other_records import (
    Effort,
    Estimates,
    Services,
    read_communities,
    read_effort,
    read_services,
)
from data.restricted.publishing import published_table
from data.restricted.publishing.frozen import Frozen, Place, family_of, freeze
from data.restricted.publishing.published_table import ReleasedTable
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import Plan, TableSpec, Tier
from data.workspace.types import Ints

Tables = dict[TableSpec, ReleasedTable]
Tick = Callable[[str], None]
# Names the blocks whose numbers would tell who changed if the tables of each tier were published.
Telling = Callable[[Mapping[Tier, Tables]], set[str]]


class Vault(Protocol):
    """What a release needs of the vault (data/restricted/vault/__init__.py)."""

    def read(self, kind: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Give the records of a kind."""
        ...

    def published_blocks(self) -> Mapping[str, Any]:
        """Give what was last published, block by block; each has `members` and `release`."""
        ...

    def staged_publication(self) -> str | None:
        """Name the release that was begun and not settled."""
        ...

    def stage_publication(self, release: str, blocks: Mapping[str, bytes]) -> None:
        """Write down what is about to be published."""
        ...

    def confirm_publication(self, release: str) -> None:
        """Make it what was last published."""
        ...

    def discard_publication(self, release: str) -> None:
        """Forget it."""
        ...


@dataclass(frozen=True, eq=False)
class Records:
    """All records that a release counts, as numbers, with the grid that they fall on."""

    grid: Grid
    encounters: aggregate.Records
    effort: Effort
    services: Services
    communities: Estimates


@dataclass(frozen=True, eq=False)
class Built:
    """The tables of each tier, and what stands behind them; None without records."""

    tables: dict[Tier, Tables]
    frozen: Frozen | None


def read_records(vault: Vault, areas: pd.DataFrame, first_month: int, policy: Policy) -> Records | None:
    """Read the vault once; None when it holds nothing that is counted."""
    calendar = Calendar(first_month)
    nowhere = Grid(areas, calendar, date(2000, 1, 1), date(2000, 1, 1))
    encounters = aggregate.load_encounters(vault.read("encounter", aggregate.COLUMNS), nowhere.names)
    effort = read_effort(vault.read("effort", ("date", "municipality", "days")), nowhere)
    services = read_services(vault.read("service"), nowhere)
    communities = read_communities(vault.read("community", ("area", "group", "estimate", "year")), nowhere)
    span = _span(encounters, effort, services, communities)
    if span is None:
        return None
    grid = replace(nowhere, first=policy.first or span[0], last=policy.last or span[1])
    if grid.first > grid.last:
        msg = f"The release would begin on {grid.first} and end on {grid.last}. Check the policy's days."
        raise ReleaseError(msg)
    return Records(
        grid,
        encounters,
        replace(effort, grid=grid),
        replace(services, grid=grid),
        replace(communities, grid=grid),
    )


def _span(
    encounters: aggregate.Records, effort: Effort, services: Services, communities: Estimates
) -> tuple[date, date] | None:
    """Find the days to cover: those of encounters and effort; else the newest of services, of estimates."""
    days = np.concatenate([encounters["day"].astype("datetime64[D]"), effort.day])
    if len(days):
        return days.min().astype(object), days.max().astype(object)
    if len(services.start):
        newest = services.start.max().astype(object)
        return newest, newest
    if len(communities.year):
        end = date(int(communities.year.max()), 12, 31)
        return end, end
    return None


def scale_of(measure: str, policy: Policy) -> int:
    """Give the most that one child can add to a cell of a measure."""
    return policy.cap if measure == "encounters" else 1


def build(
    records: Records,
    record_keys: aggregate.RecordKeys,
    plan: Plan,
    policy: Policy,
    mechanism: CellKey,
    published: Mapping[str, bytes],
    telling: Telling,
    tick: Tick,
) -> Built:
    """Count, protect and freeze all tables of the plan; blocks that would tell who changed are held."""
    tick("Linking children")
    encounters = aggregate.read_encounters(records.encounters, records.grid, record_keys)
    tick("Counting")
    noisy, members = _noisy(encounters, plan, policy, mechanism)
    tick("Making tables")
    earlier, held = published if policy.frozen else {}, set[str]()
    while True:
        frozen = freeze(noisy, members, earlier, records.grid, policy.k, held)
        tables = {tier: _tier(tier, plan, frozen, records, policy, mechanism) for tier in plan}
        new = (telling(tables) & set(earlier)) - held
        if not new:
            return Built(tables, frozen)
        held |= new


def _noisy(
    encounters: aggregate.Encounters, plan: Plan, policy: Policy, mechanism: CellKey
) -> tuple[dict[TableSpec, Ints], dict[Place, aggregate.Members]]:
    """Give the noisy value of every counted cell of either tier, once, and who stands behind each block."""
    wanted = _with_totals(s for tier in plan for s in plan[tier] if s.counted)
    # Tables of one level and grain together: what they share is worked out once.
    specs = sorted(dict.fromkeys(wanted), key=lambda s: (s.level, s.grain, s.measure, s.breakdown))
    noisy: dict[TableSpec, Ints] = {}
    members: dict[Place, aggregate.Members] = {}
    for spec in specs:
        place = (family_of(spec), spec.level, spec.grain)
        if place not in members:
            members[place] = aggregate.members(encounters, *place, policy.cap)
        cells = aggregate.count(encounters, spec, policy.cap, policy.key_range)
        noisy[spec] = mechanism.publish(cells.counts, cells.keys, scale_of(spec.measure, policy))
    return noisy, members


def _with_totals(specs: Iterator[TableSpec]) -> Iterator[TableSpec]:
    """Add the children's totals, which decide what "not searched" means, where the plan has them not."""
    for spec in specs:
        yield spec
        yield TableSpec("children", spec.level, spec.grain)


def _tier(
    tier: Tier,
    plan: Plan,
    frozen: Frozen,
    records: Records,
    policy: Policy,
    mechanism: CellKey,
) -> Tables:
    grid, numbers = records.grid, frozen.numbers
    tables: Tables = {}
    for spec in plan[tier]:
        if spec.counted:
            total = numbers[TableSpec("children", spec.level, spec.grain)]
            looked = _searched(records.effort, spec)
            own = numbers[spec]
            tables[spec] = published_table.counted(spec, own, total, looked, grid, tier, policy, mechanism)
            for place in frozen.withheld(spec, tier):
                tables[spec].withhold_at(place)
        elif spec.measure == "effort":
            tables[spec] = _effort(spec, records.effort, tier)
        elif spec.measure == "communities":
            tables[spec] = published_table.estimates(spec, *records.communities.range(spec), grid)
        else:
            tables[spec] = _services(spec, records.services, tier, policy)
    return tables


def _searched(effort: Effort, spec: TableSpec) -> npt.NDArray[np.bool_]:
    """Say where somebody looked; everywhere, when no effort was ever recorded and nobody can say."""
    days = effort.days(spec.level, spec.grain)
    return days > 0 if len(effort.amount) else np.ones(days.shape, bool)


def _effort(spec: TableSpec, effort: Effort, tier: Tier) -> ReleasedTable:
    days = effort.days(spec.level, spec.grain)
    if not len(effort.amount):
        days = np.full(days.shape, np.nan)
    if tier == "public":
        return published_table.classes(spec, days, effort.grid)
    return published_table.plain(spec, days, effort.grid, "not_searched")


def _services(spec: TableSpec, services: Services, tier: Tier, policy: Policy) -> ReleasedTable:
    sums = services.table(spec, policy.operators)
    make = published_table.classes if tier == "public" else published_table.sums
    if not len(services.axis):
        nothing = np.zeros(sums.numbers.shape, bool)
        return make(spec, np.full(nothing.shape, np.nan), services.grid, nothing, nothing)
    return make(spec, sums.numbers, services.grid, sums.withheld, sums.partial)
