"""Comparison of policies on invented worlds: the loss for readers and the gain for attackers.

The loss for **readers** is measured by country, as a mean over the worlds. Three numbers describe the public table of
children by county or region and year: the share of children in cells without a number, the share of cells with a
number, and the median of |shown - true| / true over these cells. The fourth is the mean of |shown - true| in the
partner table by municipality and quarter, over the cells in which a child was counted.

The gain for **attackers** is their advantage over guessing (data/disclosure/attacks/membership). The largest advantage
that one public number gives is exact, and the same for every world. The advantage that all public tables together give
is estimated for the child, in any world, about whom they reveal most. A release withholds cells until this advantage is
within its limit and no cell is bounded too tightly. The withheld cells are counted, and the advantage before this step
is estimated too. A last number says how often a child alone in its cell is published as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.disclosure.attacks.membership import LIMITS, Advantage
from data.disclosure.attacks.membership.attacker import Child
from data.disclosure.attacks.membership.one_number import find_largest_advantage
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.restricted.comparison.trial import Trial
from data.restricted.publishing.published_table import code
from data.tables.spec import TIERS, TableSpec, Tier
from data.workspace.types import Bools, Floats

ONE_NUMBER, ALL_NUMBERS = "one_number", "all_numbers"
BOTH = "both"  # countries together
_PUBLIC = TableSpec("children", "region", "year")
_PARTNER = TableSpec("children", "municipality", "quarter")


@dataclass(frozen=True)
class Readers:
    """The loss for readers of one country, as the module describes it.

    hidden_children, cells_shown: shares from 0 to 1. relative_error: a share of the true number. partner_error: number
    of children. An error is None if no number is shown.
    """

    hidden_children: float
    cells_shown: float
    relative_error: float | None
    partner_error: float | None


@dataclass(frozen=True)
class Attackers:
    """The gain for attackers: advantages over guessing, from 0 to 1, and a probability.

    one_number: the largest advantage that one public number gives. all_numbers, with low and high ends of its 95 %
    interval: the advantage that all public tables together give; planned: this advantage before breakdowns were
    withheld. one_as_none: the probability that a child alone in its cell is published as zero.
    """

    one_number: float
    all_numbers: float
    all_numbers_low: float
    all_numbers_high: float
    planned: float
    one_as_none: float


@dataclass(frozen=True)
class PolicyResult:
    """A policy and its results, as means over the worlds.

    readers: the loss by country, and for both countries together. hidden: smallest and largest share of hidden children
    in a world. withheld: number of cells by tier. quietened: number of counties or regions without their public
    breakdown. worlds: number of worlds.
    """

    policy: Policy
    readers: Mapping[str, Readers]
    hidden: tuple[float, float]
    attackers: Attackers
    withheld: Mapping[Tier, float]
    quietened: float
    worlds: int

    @property
    def fails(self) -> tuple[str, ...]:
        """The names of the limits that are exceeded; an estimate exceeds a limit when its whole interval does."""
        gains = self.attackers
        passed = {ONE_NUMBER: gains.one_number > LIMITS[0], ALL_NUMBERS: gains.all_numbers_low > LIMITS[1]}
        return tuple(name for name, beyond in passed.items() if beyond)

    def as_dict(self) -> dict[str, Any]:
        """Return the policy and its results as plain values for JSON."""
        settings = {name: getattr(self.policy, name) for name in ("k", "variance", "variance_near_k", "largest")}
        least, most = self.hidden
        return {
            **settings,
            "readers": {country: asdict(losses) for country, losses in self.readers.items()},
            "hidden_children_least": least,
            "hidden_children_most": most,
            "attackers": asdict(self.attackers),
            "withheld": dict(self.withheld),
            "counties_without_breakdown": self.quietened,
            "fails": list(self.fails),
        }


def summarize_trials(policy: Policy, mechanism: CellKey, trials: Sequence[Trial]) -> PolicyResult:
    """Return the result of a policy: a summary of its trials in one or more worlds."""
    by_world = [_measure_readers(trial) for trial in trials]
    hidden = [readers[BOTH].hidden_children for readers in by_world]
    worst = _find_worst(advantage for t in trials for advantage in t.released.values())
    before = _find_worst(advantage for t in trials for advantage in t.planned.values())
    alone = mechanism.channel(1).matrix[1, 0]
    most = _round(find_largest_advantage(mechanism, policy.k))
    return PolicyResult(
        policy,
        {country: _average([readers[country] for readers in by_world]) for country in by_world[0]},
        (min(hidden), max(hidden)),
        Attackers(most, worst.value, worst.low, worst.high, before.value, _round(alone)),
        {tier: _round(np.mean([t.withheld[tier] for t in trials])) for tier in TIERS},
        _round(np.mean([len(t.quietened) for t in trials])),
        len(trials),
    )


def _find_worst(advantages: Iterable[Advantage]) -> Advantage:
    return max(advantages, key=lambda advantage: advantage.value, default=Advantage(0.0, 0.0, 0.0, Child(0, 0)))


def _measure_readers(trial: Trial) -> dict[str, Readers]:
    """Compute the loss for readers in one world, for each country and for both countries together."""
    public, partner = _country_of_rows(trial, _PUBLIC), _country_of_rows(trial, _PARTNER)
    inside = {BOTH: (np.ones(len(public), bool), np.ones(len(partner), bool))}
    inside |= {str(c): (public == c, partner == c) for c in sorted(set(public))}
    return {name: _measure_readers_of(trial, *rows) for name, rows in inside.items()}


def _country_of_rows(trial: Trial, spec: TableSpec) -> npt.NDArray[np.str_]:
    grid = trial.world.grid
    return np.array(grid.areas.loc[list(grid.codes[spec.level]), "country"].astype("str"))


def _measure_readers_of(trial: Trial, public: Bools, partner: Bools) -> Readers:
    true, shown, number = _read_cells(trial, "public", _PUBLIC, public)
    off = np.abs(number - true)[shown] / np.maximum(true[shown], 1)
    fine, seen, value = _read_cells(trial, "partner", _PARTNER, partner)
    counted = (fine > 0) & seen
    return Readers(
        _round(true[~shown].sum() / max(true.sum(), 1)),
        _round(shown.mean()),
        _round(np.median(off)) if len(off) else None,
        _round(np.abs(value - fine)[counted].mean()) if counted.any() else None,
    )


def _read_cells(trial: Trial, tier: Tier, spec: TableSpec, areas: Bools) -> tuple[Floats, Bools, Floats]:
    """Return for the cells of these areas the true counts, a mask of those with a number, and the numbers.

    The state "almost none" is the number 0.
    """
    table, true = trial.tables[tier][spec], trial.world.counts[spec][areas].astype(np.float64)
    state, value = table.state[areas], table.value[areas]
    none = state == code("almost_none")
    return true, (state == code("number")) | none, np.where(none, 0.0, value)


def _average(worlds: Sequence[Readers]) -> Readers:
    return Readers(
        _round(np.mean([world.hidden_children for world in worlds])),
        _round(np.mean([world.cells_shown for world in worlds])),
        _average_known([world.relative_error for world in worlds]),
        _average_known([world.partner_error for world in worlds]),
    )


def _average_known(values: Iterable[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return _round(np.mean(numbers)) if numbers else None


def _round(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
