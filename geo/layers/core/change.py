"""What two published numbers say about a change, and how certain that is.

Bounds are certain: the mechanism's largest perturbation is published, so a true number lies within the margin.
Chance is treated separately: the ratio of two counts has a 95 % Wald interval on the log scale, widened by the
variance of the noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

Verdict = Literal["more", "fewer", "cannot tell"]
_Z = 1.959963984540054


@dataclass(frozen=True)
class Cell:
    """One cell as it is shown. noisy, noisy_margin : the published number, if the shown number may differ from it."""

    state: str
    value: float = math.nan
    margin: float = math.nan
    low: float = math.nan
    high: float = math.nan
    noisy: float = math.nan
    noisy_margin: float = math.nan

    @property
    def published(self) -> Cell:
        """The cell with its published number, the one whose noise is known."""
        return self if math.isnan(self.noisy) else replace(self, value=self.noisy, margin=self.noisy_margin)


@dataclass(frozen=True)
class Change:
    """What is certain about a change: its bounds, and whether it is larger than chance alone is likely to make it."""

    verdict: Verdict
    low: float = math.nan
    high: float = math.nan
    beyond_chance: bool = False


def find_bounds(cell: Cell, reach: float) -> tuple[float, float] | None:
    """Return the lowest and highest true number behind a cell; None if nothing is known.

    reach : the highest behind a number that is below the threshold (`Release.find_reach`).
    """
    if cell.state == "number":
        value, margin = cell.published.value, cell.published.margin
        margin = 0.0 if math.isnan(margin) else margin
        return max(0.0, value - margin), value + margin
    if cell.state == "class":
        return cell.low, math.inf if math.isnan(cell.high) else cell.high
    bounds_by_state = {"few": (0.0, reach), "almost_none": (0.0, reach), "structural_zero": (0.0, 0.0)}
    return bounds_by_state.get(cell.state)


def compute_ratio_interval(before: float, after: float, noise: float = 0.0) -> tuple[float, float, float]:
    """Compute the ratio after / before of two counts above zero, and the ends of its 95 % Wald interval (log scale).

    `noise` is the variance that the mechanism added to each of them.
    """
    ratio = after / before
    spread = math.sqrt(1 / before + 1 / after + noise / before**2 + noise / after**2)
    return ratio, ratio * math.exp(-_Z * spread), ratio * math.exp(_Z * spread)


def compare_cells(before: Cell, after: Cell, reach: float, noise: float) -> Change | None:
    """Return what is certain about the change from one cell to another; None if nothing is known of one of them.

    reach : see `find_bounds`. noise : the variance of the noise of a count.
    """
    before, after = before.published, after.published
    was, now = find_bounds(before, reach), find_bounds(after, reach)
    if was is None or now is None:
        return None
    low, high = now[0] - was[1], now[1] - was[0]
    if low <= 0 <= high:
        return Change("cannot tell", low, high)
    counts = before.value, after.value
    if not before.state == after.state == "number" or min(counts) <= 0:
        # Of a cell without a number, the true number that is nearest to the other cell; a half replaces zero.
        counts, noise = ((was[1], now[0]) if low > 0 else (was[0], now[1])), 0.0
    _, least, most = compute_ratio_interval(max(counts[0], 0.5), max(counts[1], 0.5), noise)
    return Change("more" if low > 0 else "fewer", low, high, least > 1 or most < 1)


def bound_share(part: Cell, whole: Cell, reach: float) -> tuple[float, float] | None:
    """Return bounds (0 to 1) on the share of a part in a whole.

    None if nothing is known of one of them, or if the whole is certainly 0. reach : see `find_bounds`.
    """
    few, all_of = find_bounds(part, reach), find_bounds(whole, reach)
    if few is None or all_of is None or all_of[1] <= 0:
        return None
    high = 1.0 if all_of[0] <= 0 else min(1.0, few[1] / all_of[0])
    return min(1.0, few[0] / all_of[1]), high
