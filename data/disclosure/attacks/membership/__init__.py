"""The membership attack, which asks whether one particular child was counted.

The attacker knows the rates (expected numbers of children in each cell), the method of protection and everything that
was published, but not who the other children are. The advantage is the rate of true alarms minus the rate of false
alarms: 0 is guessing, 1 is knowing.

For one number the advantage is exact (one_number.py). For all numbers together it is estimated with a trained
classifier (attacker.py; Homer et al. 2008, Shokri et al. 2017). The rates come only from the release, so categories are
assumed to be independent of each other within an area (rates.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.attacks.membership.attacker import LIMITS, Advantage, Attacker, Child
from data.disclosure.attacks.membership.one_number import compute_advantage
from data.disclosure.attacks.membership.rates import Rates, find_finest, read_rates
from data.disclosure.cell_key import CellKey
from data.message import Message
from data.tables.spec import TableSpec
from data.workspace.types import Floats

__all__ = ["ALL_NUMBERS", "LIMITS", "ONE_NUMBER", "WORLDS", "Advantage", "attack", "survey"]

WORLDS = (3000, 16_000)  # at first; then, while the limit lies within the interval
# Attackers for whom the limits do not hold: the share of other children whom each knows, and how many siblings the
# child comes and goes with, itself included.
STRONGER = {"two_siblings": (0.0, 2), "three_siblings": (0.0, 3), "half_known": (0.5, 1), "all_others_known": (1.0, 1)}
ONE_NUMBER = Message("one yearly number says more about a child than the limit allows")
ALL_NUMBERS = Message("all numbers together say more about a child than the limit allows")


def survey(
    release: Published,
    areas: pd.DataFrame,
    mechanism: CellKey,
    k: int | None,
    *,
    children: int | None = None,
    regions: Collection[str] | None = None,
    worlds: Sequence[int] = WORLDS,
    seed: int = 0,
    basis: Published | None = None,
) -> dict[str, Advantage]:
    """Estimate the advantage for the most exposed child of each region, by region code.

    `areas`: level and parent, indexed by code. `k`: the threshold below which numbers are hidden, None if the tier has
    none; earlier releases may have shown some under a lower one (`release.k_before`). `children`: the largest number of
    children to attack, one in each region, the most exposed first. `regions`: attack only these regions. `worlds`:
    numbers of worlds; the next one is used while the limit lies within the interval. The seed makes the result
    repeatable; it is no secret. `basis`: the tables from which the rates are read, by default all of the release. Empty
    if no table counts children by region.
    """
    rates = read_rates(basis or release, areas, release.tables)
    return {} if rates is None else _survey(rates, release, mechanism, k, children, regions, worlds, seed)


def _survey(
    rates: Rates,
    release: Published,
    mechanism: CellKey,
    k: int | None,
    children: int | None,
    regions: Collection[str] | None,
    worlds: Sequence[int],
    seed: int = 0,
) -> dict[str, Advantage]:
    attacker = _build_attacker(rates, release, mechanism, k)
    if not attacker.tables:
        return {}
    advantages: dict[str, Advantage] = {}
    by_key: dict[tuple[object, ...], Advantage] = {}
    for child in attacker.list_worst_children(children):
        region = rates.regions[child.region]
        if regions is None or region in regions:
            key = attacker.attack_key(child)
            if key not in by_key:
                # Not the place in this list: one child of another country would change it, and so these worlds.
                by_key[key] = attacker.survey(child, worlds, seed + child.region)
            advantages[region] = by_key[key]
    return advantages


def _build_attacker(rates: Rates, release: Published, mechanism: CellKey, k: int | None) -> Attacker:
    tables = [s for s in release.tables if s.measure == "children" and _is_attacked(s)]
    estimated = {str(area) for table in release.estimates.values() for area in table["area"].unique().to_pylist()}
    thresholds = {} if k is None else {spec: _list_thresholds(release, spec) for spec in tables}
    # Pairs of table and area (region or country) whose cells are all withheld.
    pairs: set[tuple[TableSpec, str]] = set()
    for spec in tables:
        frame = release.tables[spec].select(["area", "state"]).to_pandas()
        silent = (frame["state"] == "withheld").groupby(frame["area"]).all()
        pairs.update((spec, str(area)) for area in silent.index[silent])
    return Attacker(rates, mechanism, k, tables, frozenset(pairs), frozenset(estimated), thresholds)


def attack(
    release: Published,
    areas: pd.DataFrame,
    mechanism: CellKey,
    k: int | None,
    *,
    children: int | None = None,
    worlds: Sequence[int] = WORLDS,
) -> tuple[list[Finding], dict[str, float]]:
    """Attack a release; return findings (only if `k` is not None) and statistics of the attack.

    The arguments are those of `survey`. An estimate is above the limit only if its whole interval is. Both results are
    empty if no table counts children by region.
    """
    rates = read_rates(release, areas)
    advantages = {} if rates is None else _survey(rates, release, mechanism, k, children, None, worlds)
    if not advantages or rates is None:
        return [], {}
    totals = _compute_totals(release, rates, mechanism, k)
    worst = max(advantages.values(), key=lambda a: a.value)
    reasons: list[tuple[str, Message]] = []
    if k is not None:
        above = np.flatnonzero((totals > LIMITS[0]).any(axis=1))
        reasons += [(rates.regions[r], ONE_NUMBER) for r in above]
        reasons += [(region, ALL_NUMBERS) for region, a in advantages.items() if a.low > LIMITS[1]]
    table = next(s for s in release.tables if s.measure == "children" and s.level == "region")
    findings = [Finding("membership", table.name, {"area": area}, reason) for area, reason in reasons]
    return findings, {
        "one_number": round(float(totals.max()), 4),
        "all_numbers": worst.value,
        "all_numbers_low": worst.low,
        "all_numbers_high": worst.high,
        "children": len(advantages),
        **_measure_stronger(rates, release, mechanism, k, worst.child, worlds[0]),
    }


def _measure_stronger(
    rates: Rates, release: Published, mechanism: CellKey, k: int | None, child: Child, worlds: int
) -> dict[str, float]:
    """Return the advantage of each stronger attacker from one number and from all, for one child."""
    measured = {}
    for name, (known, siblings) in STRONGER.items():
        totals = _compute_totals(release, rates, mechanism, k, known, siblings)
        stronger = replace(_build_attacker(rates, release, mechanism, k), known=known, siblings=siblings)
        measured[f"one_number_{name}"] = round(float(totals.max()), 4)
        measured[f"all_numbers_{name}"] = stronger.attack(child, worlds, child.region).value
    return measured


def _compute_totals(
    release: Published, rates: Rates, mechanism: CellKey, k: int | None, known: float = 0.0, siblings: int = 1
) -> Floats:
    """Return the advantage from the number of each region and period alone, (regions, periods)."""
    finest = find_finest(release)
    if k is None or finest is None:
        return compute_advantage(rates.children, mechanism, k, known, siblings)
    thresholds = _list_thresholds(release, finest)
    by_period = [
        compute_advantage(rates.children[:, n], mechanism, threshold, known, siblings)
        for n, threshold in enumerate(thresholds)
    ]
    return np.stack(by_period, axis=1)


def _list_thresholds(release: Published, spec: TableSpec) -> tuple[int, ...]:
    """Return the lowest threshold under which each period of a table was published, in the order of time."""
    periods = sorted(release.tables[spec]["period"].unique().to_pylist())
    return tuple(release.threshold(spec, period) for period in periods)


def _is_attacked(spec: TableSpec) -> bool:
    return spec.level == "region" or (spec.level == "country" and spec.grain in ("year", "whole"))
