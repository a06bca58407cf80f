"""The cost of four rules for publishing numbers again: twelve quarterly releases of invented worlds, and a last one.

Between the releases records come late, are corrected, move, and are forgotten (benchmarks/studies/sequence.py). Counts,
record keys and noise are the same for all rules; they differ in when a number is drawn:

- final: once, when its year is final; quarters of the current year also once before that, with another salt;
- blocks (the earlier rule): all numbers of an area and period together, when k children in this block changed since the
  last draw;
- cells: each number separately, when enough children in its cell changed; the threshold, 6 to 16, is kept secret;
- always: every number at each release, from all records known then. It shows what is possible without any rule.

The last three rules publish a period as soon as it is over. No rule withholds anything. A number has changed if it
was published before and shows another value, unless it was provisional and became final: then all cells of the year
are drawn anew. Where a single child changed in the cell since the last draw, or since the release before, the change
of the number is about that child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.studies.command import map_seeds, run_study
from benchmarks.studies.model import GAMMAS, correlate_ranks, draw_risk, measure_width
from benchmarks.studies.observe import effort_days, join_observations, select_modelled_areas
from benchmarks.studies.sequence import RecordHistory, list_days, list_first_encounters
from benchmarks.studies.snapshot import (
    GRID,
    MODEL,
    PROVISIONAL,
    PUBLIC,
    TABLES,
    WHOLE,
    YEARS,
    Snapshot,
    count_changes,
    get_shape,
)
from benchmarks.worlds import World, WorldParameters, simulate_default_areas
from data.disclosure.cell_key import CellKey, compute_cell_keys, salt_of
from data.disclosure.policy import DEFAULT_POLICY
from data.tables.spec import TableSpec
from data.workspace.types import Bools, Ints, Progress
from geo import areas as geography
from risk.laplace.likelihood import MISSING
from risk.model import RiskModel
from risk.model.observations import CROSSING, Observations

RULES = ("final", "blocks", "cells", "always")
_RELEASES = 12
_LEAST, _MOST = 6, 16  # children that change in a cell until it is drawn again
MEASURES = {
    "hidden": "children in county-years not shown, mean of 12 releases",
    "hidden_last": "  at the twelfth",
    "hidden_end": "  when all is final",
    "error": "median relative error of shown county-years, mean of 12",
    "error_last": "  at the twelfth",
    "error_end": "  when all is final",
    "internal": "rank correlation with the true risk, twelfth: internal",
    "cross_border": "  cross-border",
    "internal_end": "  when all is final: internal",
    "cross_border_end": "  cross-border",
    "width": "width of 95 % intervals of the log risk, twelfth",
    "width_end": "  when all is final",
    "public_changed": "public numbers that changed",
    "public_one_draw": "  one child in it changed since its draw",
    "public_one_release": "  one child in it changed since the release before",
    "partner_changed": "partners' numbers that changed",
    "partner_one_draw": "  one child in it changed since its draw",
    "partner_one_release": "  one child in it changed since the release before",
}


@dataclass(frozen=True)
class Comparison:
    """The measures of each rule in each world: for each world a dictionary by rule and name in MEASURES."""

    worlds: tuple[dict[str, dict[str, float]], ...]

    def summary(self) -> dict[str, Any]:
        """Return the mean of each measure and its standard error by rule."""
        out: dict[str, Any] = {"worlds": len(self.worlds)}
        for rule in RULES:
            table = pd.DataFrame([world[rule] for world in self.worlds])
            out[rule] = {name: (table[name].mean(), table[name].sem()) for name in table}
        return out

    def as_dict(self) -> dict[str, Any]:
        """Return all results as plain values."""
        return {"invented": True, "summary": self.summary(), "worlds": self.worlds}


@dataclass(eq=False)
class Numbers:
    """The numbers of a table under a rule: the value (or MISSING), and the release of the last draw (or -1)."""

    spec: TableSpec
    rule: str
    thresholds: Ints
    value: Ints = field(init=False)
    last_draw: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Start with nothing published."""
        self.value = np.full(get_shape(self.spec), MISSING, np.int64)
        self.last_draw = np.full(get_shape(self.spec), -1, np.int64)

    @property
    def shown(self) -> Ints:
        """The values that readers see: on the public tier, all values below k look the same."""
        return np.where(self.value >= DEFAULT_POLICY.k, self.value, -1) if self.spec in PUBLIC else self.value

    def count_since_draw(self, snapshots: Sequence[Snapshot], *, blocks: bool = False) -> Ints:
        """Return how many children in each cell, or in its block, changed since the last draw of the cell."""
        changes = np.zeros_like(self.value)
        for release in np.unique(self.last_draw[self.last_draw >= 0]):
            later = count_changes(snapshots[release], snapshots[-1], self.spec, blocks=blocks)
            changes = np.where(self.last_draw == release, later, changes)
        return changes

    def choose(self, snapshots: Sequence[Snapshot]) -> Bools:
        """Return which cells the rule draws at the newest of these releases, (areas, periods, categories)."""
        now = snapshots[-1]
        if self.rule == "final":
            before = snapshots[-2].status[self.spec] if len(snapshots) > 1 else 0
            return np.asarray(now.status[self.spec] != before)
        enough: dict[str, int | Ints] = {"blocks": DEFAULT_POLICY.k, "cells": self.thresholds, "always": 0}
        changes = self.count_since_draw(snapshots, blocks=self.rule == "blocks")
        return np.asarray(now.over[self.spec] & ((self.last_draw < 0) | (changes >= enough[self.rule])))

    def publish(self, snapshots: Sequence[Snapshot], record_keys: Mapping[str, Ints]) -> Ints:
        """Draw the numbers that the rule chooses at the newest of these releases.

        Returns how many numbers changed: in all; with a single changed child since the last draw; and with a single
        changed child since the last release.
        """
        now, was, before = snapshots[-1], snapshots[max(len(snapshots) - 2, 0)], self.shown
        by_one = self.count_since_draw(snapshots) == 1, count_changes(was, now, self.spec) == 1
        cell, status, salt = now.cells[self.spec], now.status[self.spec], salt_of(self.spec)
        again = (self.rule == "final") & (status.ravel()[cell] == PROVISIONAL)
        key = np.where(again, record_keys[f"provisional|{salt}"], record_keys[salt])[cell >= 0]
        cell_keys = compute_cell_keys(cell[cell >= 0], key, before.size, DEFAULT_POLICY.key_range).reshape(before.shape)
        values = CellKey.from_policy(DEFAULT_POLICY).publish(now.count(self.spec), cell_keys)
        draw, expected = self.choose(snapshots), (self.rule == "final") & (was.status[self.spec] != status)
        self.value, comparable = np.where(draw, values, self.value), (self.last_draw >= 0) & ~expected
        self.last_draw = np.where(draw, len(snapshots) - 1, self.last_draw)
        changed = comparable & (before != self.shown)
        return np.array([changed.sum(), *((changed & mask).sum() for mask in by_one)])


def compare_rules(
    seed: int, days: Sequence[date] | None = None, model: RiskModel | None = None, children: int = 1400
) -> dict[str, dict[str, float]]:
    """Return all measures of each rule for one world whose records change. `model` is fitted to the last releases."""
    world = simulate_default_areas(WorldParameters(seed=seed, children=children, gamma=GAMMAS[seed % len(GAMMAS)]))
    encounters, days = world.records["encounter"].astype("str"), list_days() if days is None else days
    history = RecordHistory(encounters, np.random.default_rng([seed, 7]), withdraws=seed % 2 == 1)
    records_by_day = [history.known_on(day) for day in days]
    names = pd.Index(pd.concat([list_first_encounters(k)["child"] for k in [encounters, *records_by_day]]).unique())
    snapshots = [Snapshot.take(records, names, day) for records, day in zip(records_by_day, days, strict=True)]
    true = Snapshot.take(encounters, names, list_days()[-1]).count(YEARS)
    return {rule: _follow(rule, world, snapshots, true, model) for rule in RULES}


def _follow(
    rule: str, world: World, snapshots: Sequence[Snapshot], true: Ints, model: RiskModel | None
) -> dict[str, float]:
    rng = np.random.default_rng([world.parameters.seed, 11])
    salts = [f"{kind}{salt}" for salt in ("children", salt_of(WHOLE)) for kind in ("", "provisional|")]
    keys = {salt: rng.integers(0, DEFAULT_POLICY.key_range, len(snapshots[0].content)) for salt in salts}
    tables = {spec: Numbers(spec, rule, rng.integers(_LEAST, _MOST + 1, get_shape(spec))) for spec in TABLES}
    measures, changes, fits = (
        list[tuple[float, float]](),
        np.zeros((len(snapshots), len(TABLES), 3)),
        dict[str, float](),
    )
    for release in range(len(snapshots)):
        past = snapshots[: release + 1]
        changes[release] = [numbers.publish(past, keys) for numbers in tables.values()]
        measures.append(_measure_public(tables[YEARS].shown, past[-1].count(YEARS), true))
        if model is not None and release >= _RELEASES - 1:
            fits |= _measure_fit(world, _observe(world, tables), model, "" if release < _RELEASES else "_end")
    public = pd.DataFrame(measures, columns=["hidden", "error"])
    tiers = zip(("public", "partner"), (changes[:_RELEASES, :2], changes[:_RELEASES, 2:]), strict=True)
    kinds = ("changed", "one_draw", "one_release")
    return {
        **public[:_RELEASES].mean(),
        **public[:_RELEASES].iloc[-1].add_suffix("_last"),
        **public.iloc[-1].add_suffix("_end"),
        **fits,
        **{f"{tier}_{kind}": n for tier, c in tiers for kind, n in zip(kinds, c.sum(axis=(0, 1)), strict=True)},
    }


def _measure_public(published: Ints, count: Ints, true: Ints) -> tuple[float, float]:
    """Return the share of known children in county-years not shown, and the median relative error of shown ones.

    The error is NaN if no county-year with children is shown.
    """
    off = (np.abs(published - true) / np.maximum(true, 1))[(published >= 0) & (true > 0)]
    return float(count[published < 0].sum() / max(count.sum(), 1)), float(np.median(off)) if len(off) else np.nan


def _observe(world: World, tables: Mapping[TableSpec, Numbers]) -> Observations:
    """Return the observations that partners see; without totals if any total is not published."""
    regions = list(select_modelled_areas(world.truth.areas).index)
    positions = [GRID.codes["region"].index(code) for code in regions]
    days, pairs = effort_days(world, regions), geography.load_areas().neighbours("region")
    totals = tables[WHOLE].value[positions, 0, : len(CROSSING)]
    known_totals = None if (totals == MISSING).any() else totals
    published, mechanism = tables[MODEL].value[positions], CellKey.from_policy(DEFAULT_POLICY)
    return join_observations(
        world.truth.areas, world.parameters.periods, published, days, pairs, mechanism, known_totals
    )


def _measure_fit(world: World, observations: Observations, model: RiskModel, when: str) -> dict[str, float]:
    risk, draws = draw_risk(model.fit(observations).fit_, world.parameters.seed)
    ranks = correlate_ranks(risk, world.truth.log_risk(observations.areas, observations.pathways))
    names = ("internal", "cross_border", "width")
    return {f"{name}{when}": value for name, value in zip(names, (*ranks, measure_width(draws)), strict=True)}


def study(
    worlds: int, first_seed: int = 0, processes: int = 2, cluster: str = "", progress: Progress | None = None
) -> Comparison:
    """Compare the rules in `worlds` invented worlds, about ten seconds each. The same seeds give the same result."""
    seeds = range(first_seed, first_seed + worlds)
    return Comparison(
        tuple(map_seeds(_compare_with_fits, seeds, "Worlds", processes=processes, cluster=cluster, progress=progress))
    )


def _compare_with_fits(seed: int) -> dict[str, dict[str, float]]:
    return compare_rules(seed, model=RiskModel())


def describe(summary: dict[str, Any], first_seed: int) -> list[str]:
    """Return the summary as a table with a row for each measure and a column for each rule."""
    head = f"{summary['worlds']} invented worlds (seeds from {first_seed}), mean and standard error"
    rows = [f"{'':<58}" + "".join(f"{rule:>16}" for rule in RULES)]
    for name, words in MEASURES.items():
        digits = 1 if name.startswith(("public", "partner")) else 3
        numbers = [" ± ".join(f"{number:.{digits}f}" for number in summary[rule][name]) for rule in RULES]
        rows.append(f"{words:<58}" + "".join(f"{number:>16}" for number in numbers))
    return [head, "", *rows]


if __name__ == "__main__":
    run_study(study, describe, "Compare rules for numbers that are published again (ten seconds a world).", spread=True)
