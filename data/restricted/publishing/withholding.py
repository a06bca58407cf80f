"""The step of a release that withholds numbers until the attacks fail. Behind the wall.

Numbers are withheld if sums (`complementary`), averaging or homogeneity disclose them. On the public tier a county or
region has no breakdown if all numbers of it and its country together would reveal too much about one child.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.disclosure.attacks import membership, sequence
from data.disclosure.attacks.bounds import BoundsAttack, Published
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.attacks.membership import Advantage
from data.disclosure.attacks.suite import find_disclosed_cells
from data.restricted.publishing.complementary import withhold_until_safe
from data.restricted.publishing.draft import Draft
from data.restricted.publishing.not_searched import correct_not_searched
from data.restricted.publishing.published_table import CellMasks, Tables, code
from data.tables.spec import TIERS, Plan, TableSpec, Tier, is_sum_of_years


@dataclass(frozen=True, eq=False)
class SafeTables:
    """The tables of a release after numbers were withheld.

    cells: the withheld cells, by tier and table. planned: for each county or region, the attacker's advantage (from 0
    to 1) for its most exposed child, before breakdowns were withheld. quietened: the counties and regions without
    breakdowns.
    """

    tables: Mapping[Tier, Tables]
    cells: Mapping[Tier, CellMasks]
    planned: Mapping[str, Advantage]
    quietened: frozenset[str]


def withhold_cells(
    tables: Mapping[Tier, Tables],
    draft: Draft,
    earlier: Mapping[Tier, Sequence[Published]],
    areas: pd.DataFrame,
    worlds: Sequence[int] = membership.WORLDS,
) -> SafeTables:
    """Withhold numbers until the attacks fail; return the tables. What the partner tier withholds, both tiers withhold.

    earlier : releases of each tier, oldest first. worlds : numbers of worlds for the membership attack; the next one is
    used while the limit is within the interval.
    """
    safe, cells, from_before = dict(tables), dict[Tier, CellMasks](), CellMasks()
    planned, quietened = dict[str, Advantage](), frozenset[str]()
    for tier in TIERS:
        if not tables.get(tier):
            continue
        releases = [*earlier[tier], draft.published(tier, tables[tier])]
        inherited = {spec: mask for spec, mask in from_before.items() if spec in tables[tier]}
        cells[tier] = leave_out_shown(inherited, tables[tier], releases)
        remainder = _without(tables[tier], cells[tier])
        unsafe = _find_unsafe_cells(remainder, tier, draft, earlier[tier], areas)
        cells[tier] = _join(cells[tier], leave_out_shown(unsafe, tables[tier], releases))
        if tier == "public":
            remainder = _without(tables[tier], cells[tier])
            quiet, planned, quietened = _quieten_areas(remainder, draft, earlier[tier], areas, worlds)
            cells[tier] = _join(cells[tier], leave_out_shown(quiet, tables[tier], releases))
        safe[tier] = _without(tables[tier], cells[tier])
        cells[tier] = _join(cells[tier], _mark_sums(safe[tier], draft.plan))
        safe[tier] = _without(tables[tier], cells[tier])
        # Also what an earlier release withheld: the next tier may have the table for the first time.
        from_before = {spec: table.state == code("withheld") for spec, table in safe[tier].items() if spec.counted}
    corrected = {tier: correct_not_searched(of_tier) for tier, of_tier in safe.items()}
    return SafeTables(corrected, cells, planned, quietened)


def _mark_sums(tables: Tables, plan: Plan) -> CellMasks:
    """Return masks of the sums of years of which one is withheld: with the other years they would give it away."""
    masks = CellMasks()
    for spec, table in tables.items():
        if is_sum_of_years(spec, plan):
            withheld = tables[replace(spec, grain="year")].state == code("withheld")
            masks[spec] = withheld.any(axis=1, keepdims=True)[:, : table.value.shape[1]]
    return masks


def leave_out_shown(masks: CellMasks, tables: Tables, releases: Sequence[Published]) -> CellMasks:
    """Return the masks without cells that an earlier release shows, because a published number is never withheld.

    `releases` are the earlier ones, then the new one. A table with an empty mask is left out.

    The final and the provisional number of a quarter are two numbers; only the same kind counts as shown.
    """
    *earlier, now = releases
    remaining = CellMasks()
    for spec, mask in masks.items():
        if not mask.any():  # also a table without a period yet, which is not published
            continue
        keys = list(tables[spec].axes)
        cells = pd.MultiIndex.from_frame(tables[spec].arrow().select(keys).to_pandas()[mask.ravel()])
        is_shown = np.zeros(len(cells), bool)
        for release in earlier:
            if spec in release.tables:
                rows = release.tables[spec].select([*keys, "state"]).to_pandas()
                same = {p: release.is_provisional(p) == now.is_provisional(p) for p in rows["period"].unique()}
                rows = rows[(rows["state"] != "withheld") & rows["period"].map(same)]
                is_shown |= cells.isin(pd.MultiIndex.from_frame(rows[keys]))
        remaining[spec] = mask.copy()
        remaining[spec][mask] = ~is_shown
    return remaining


def survey_public(
    tables: Tables,
    draft: Draft,
    areas: pd.DataFrame,
    worlds: Sequence[int],
    regions: Collection[str] | None = None,
    earlier: Sequence[Published] = (),
) -> dict[str, Advantage]:
    """Return the attacker's advantage from all public tables for the most exposed child of each county or region.

    It is from 0 to 1, and estimated only for `regions` if these are given. The rates come from the tables that each
    release shows, so that a reader who runs this again gets the same counties without a breakdown.
    """
    now = sequence.join_releases([*earlier, draft.published("public", tables)])
    always = {spec: table for spec, table in now.tables.items() if not _may_be_withheld(spec)}
    basis = replace(now, tables=always)
    return membership.survey(now, areas, draft.mechanism, now.k, regions=regions, worlds=worlds, basis=basis)


def _may_be_withheld(spec: TableSpec) -> bool:
    return spec.measure == "children" and spec.level == "region" and bool(spec.breakdown)


def _find_unsafe_cells(
    tables: Tables, tier: Tier, draft: Draft, earlier: Sequence[Published], areas: pd.DataFrame
) -> CellMasks:
    """Return the cells to withhold so that sums, averaging and homogeneity disclose no cell."""
    releases = [*earlier, draft.published(tier, tables)]
    unsafe, _ = withhold_until_safe(BoundsAttack.from_releases(releases, areas), len(earlier))
    cells = _mark_cells(tables, unsafe)
    # Attacked again: what earlier releases showed of a cell is known although it is withheld now.
    while revealed := find_disclosed_cells(
        [*earlier, draft.published(tier, _without(tables, cells))], areas, draft.mechanism
    ):
        cells = _join(cells, _mark_cells(tables, revealed))
    return cells


def _quieten_areas(
    tables: Tables, draft: Draft, earlier: Sequence[Published], areas: pd.DataFrame, worlds: Sequence[int]
) -> tuple[CellMasks, dict[str, Advantage], frozenset[str]]:
    """Return the public breakdowns to withhold, of areas whose numbers together may reveal too much about a child.

    Returns also the advantage for each area with them, and the areas without. A release that still reveals too much is
    refused when it is attacked.
    """
    planned = survey_public(tables, draft, areas, worlds, None, earlier)
    quietened = frozenset(area for area, advantage in planned.items() if advantage.high > membership.LIMITS[1])
    cells = {spec: table.cells_of(quietened) for spec, table in tables.items() if quietened and _may_be_withheld(spec)}
    return cells, planned, quietened


def _without(tables: Tables, cells: CellMasks) -> Tables:
    return {spec: table.without(cells[spec]) if spec in cells else table for spec, table in tables.items()}


def _join(first: CellMasks, second: CellMasks) -> CellMasks:
    return {**first, **{spec: first[spec] | mask if spec in first else mask for spec, mask in second.items()}}


def _mark_cells(tables: Tables, positions: Iterable[tuple[Table, int]]) -> CellMasks:
    """Return masks of the cells that an attack names, by table."""
    by_name = {(str(s.measure), s.level, s.grain, s.breakdown): s for s in tables}
    cells: CellMasks = {}
    for table, offset in positions:
        shape = table.shape
        spec = by_name[shape.measure, shape.level, shape.grain, shape.breakdown]
        mask = cells.setdefault(spec, np.zeros(tables[spec].value.shape, bool))
        mask[tables[spec].place(table.name(offset))] = True
    return cells
