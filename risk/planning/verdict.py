"""The verdict on a plan: do it, optional, or keep things as they are, from the loss that a needless move causes.

A unit that moves meets nobody until it has settled in. So a move costs children for sure, and gains children only if
the need is as it is estimated. Both are counted over the four quarters after the moves, docs/planner.md section 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.workspace.types import Bools, Floats
from risk.model.statements import LIKELY, VERY_LIKELY
from risk.planning.benefit import compute_met
from risk.planning.explain import Estimate
from risk.planning.problem import YEAR

Answer = Literal["do", "optional", "keep"]

LEAST = 1.0  # children in the year, for each unit that moves: less is not worth the trouble
_HALVINGS, _MOST = 30, 4.0  # of the search for a tipping point, and the largest factor on the need


@dataclass(frozen=True)
class YearAhead:
    """What moves bring in the four quarters after them, compared with leaving all units where they are.

    net : children whose need is met more, less those not met while the units settle in, docs/planner.md eq. (71).
    settling : the mean of the latter, eq. (70). probability : that `net` is above 0. visible : the least net gain that
    would be very likely above 0 with draws that differ as these do, eq. (74). need : children in need per quarter in
    the areas that get more capacity. tipping : factor on that need at which the mean of `net` is 0, eq. (75); None if
    no factor up to 4 is.
    """

    net: Estimate
    settling: float
    probability: float
    visible: float
    need: float
    tipping: float | None


def choose_answer(moved: int, year: YearAhead) -> Answer:
    """Return what a plan advises, docs/planner.md eq. (72) and (73); moved : number of units that move."""
    if not moved or year.net.mean < LEAST or year.probability < LIKELY:
        return "keep"
    return "do" if year.probability >= VERY_LIKELY and year.net.mean >= LEAST * moved else "optional"


def judge_year(need: Floats, before: Floats, meanwhile: Floats, after: Floats, settling: float) -> YearAhead:
    """Judge the four quarters after moves.

    need : draws of the children in need per quarter that judge the plan, (d, A, K). before, after : capacity today and
    as planned, (A, K). meanwhile : capacity of the units that do not move, (A, K). settling : quarters for which a
    moved unit meets nobody.
    """
    helped: Bools = np.any(after > before, axis=1)

    def compute_net(factor: float = 1.0) -> tuple[Floats, Floats]:
        """Return `net` and what settling in costs, (d,) each, with this factor on the need where capacity grows."""
        scaled = np.where(helped[:, None], factor * need, need)
        today, rest, planned = (compute_met(scaled, c).sum(axis=(1, 2)) for c in (before, meanwhile, after))
        lost = settling * (today - rest)
        return (YEAR - settling) * (planned - today) - lost, lost

    net, lost = compute_net()
    return YearAhead(
        Estimate.from_draws(net),
        float(lost.mean()),
        float((net > 0).mean()),
        max(LEAST, float(net.mean() - np.quantile(net, 1.0 - VERY_LIKELY))),
        float(need[:, helped].sum(axis=(1, 2)).mean()),
        _find_tipping_point(lambda factor: float(compute_net(factor)[0].mean())) if helped.any() else None,
    )


def _find_tipping_point(compute_mean: Callable[[float], float]) -> float | None:
    """Return the factor from 0 to 4 at which a mean that grows with the factor is 0; None if it is below 0 at 4."""
    low, high = 0.0, _MOST
    if compute_mean(low) > 0.0:
        return low
    if compute_mean(high) <= 0.0:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if compute_mean(middle) <= 0.0 else (low, middle)
    return high
