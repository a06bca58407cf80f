"""From what is found to what is there: the detection range, classes and probabilities of exceedance.

Nobody knows which share of the children in need is found. A common share never changes a ranking;
differences between areas do. So log detection is taken as normal between areas, standard deviation 0.2,
around each common share from 0.11 to 0.25, and every statement is one over draws of risk and this range. In
a relative risk the common share cancels; in a number of children it does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import InputError
from data.workspace.types import Bools, Floats, Ints
from risk.model.draws import Draws, relative
from risk.model.expected import reach
from risk.model.observations import Observations

CLASSES = ("low", "average", "high", "very high", "cannot tell")
LOW, AVERAGE, HIGH, VERY_HIGH, CANNOT_TELL = range(5)
# Of the country's rate: steps of one half more, so that classes are as wide on both sides of average.
CUTS = (2 / 3, 1.5, 2.25)
_LEAST = 0.8
_YEAR = 4  # quarters


@dataclass(frozen=True)
class DetectionRange:
    """The share of children in need that is found: from `low` to `high`, with a spread between areas.

    Raises InputError for what is no share.
    """

    low: float = 0.11
    high: float = 0.25
    between_sd: float = 0.2

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0.0 < self.low <= self.high <= 1.0 or self.between_sd < 0.0:
            msg = (
                f"No detection range from {self.low!r} to {self.high!r} with a spread of "
                f"{self.between_sd!r}. Give shares above 0, 1 at most, and a spread from 0."
            )
            raise InputError(msg)

    def common(self, size: int) -> Floats:
        """Give the log of the common share for each draw, spread evenly over the range, (d,)."""
        return np.asarray(np.linspace(np.log(self.low), np.log(self.high), size))

    def between(self, size: int, areas: int, seed: int) -> Floats:
        """Draw log detection of each area around the common one, (d, areas)."""
        drawn: Floats = self.between_sd * np.random.default_rng([seed, 3]).standard_normal((size, areas))
        return drawn

    def log_risk(self, log_risk: Floats, seen: Observations, seed: int) -> Floats:
        """Turn draws of the relative risk of being found into those of need, (d, areas, pathways).

        Both are relative to the country.
        """
        size, areas, _ = log_risk.shape
        return relative(log_risk - self.between(size, areas, seed)[:, :, None], seen)

    def need(self, draws: Draws, seen: Observations, seed: int) -> Floats:
        """Draw the children newly in need in a quarter, (d, areas, quarters, pathways).

        Of all, over the whole time, the common share was found with the effort that there was. It stands for
        no area: where less was searched, or less is reported, less of what is there was found.
        """
        size, areas = draws.log_rate.shape[:2]
        rate = np.exp(draws.log_rate) * seen.expected[:, None, None]
        there = rate * np.exp(-self.between(size, areas, seed))[:, :, None, None]
        found = (rate.sum(axis=3) * reach(seen, draws.gamma, draws.gap)).sum(axis=(1, 2))
        level = found / there.sum(axis=(1, 2, 3)) / np.exp(self.common(size))
        need: Floats = there * level[:, None, None, None]
        return need


def yearly_need(draws: Draws, seen: Observations, seed: int) -> Floats:
    """Draw the children newly in need in the mean quarter of the last year, (d, areas, pathways)."""
    last: Floats = DetectionRange().need(draws, seen, seed)[:, :, -_YEAR:].mean(axis=2)
    return last


@dataclass(frozen=True, eq=False)
class Judgement:
    """What may be said of each area and pathway, (areas, pathways), relative to its country.

    classes : positions in CLASSES. probability : of the class that was given, 0 where it cannot be told.
    exceeding : P(relative risk > 1.5). not_searched : (areas,), where no outreach at all is recorded, so
        that the answer rests on reports alone.
    """

    classes: Ints
    probability: Floats
    exceeding: Floats
    not_searched: Bools


def judge(
    log_risk: Floats, seen: Observations, detection: DetectionRange | None = None, seed: int = 0
) -> Judgement:
    """Judge draws of log relative risk of being found, (d, areas, pathways), over a detection range."""
    need = (detection or DetectionRange()).log_risk(log_risk, seen, seed)
    given, probability = classes(need)
    return Judgement(given, probability, exceedance(need), np.asarray(~seen.searched.any(axis=1)))


def classes(
    log_risk: Floats, cuts: tuple[float, float, float] = CUTS, least: float = _LEAST
) -> tuple[Ints, Floats]:
    """Give each area the farthest class whose probability over the draws is at least `least`.

    "very high" is above the last cut, "high" above the middle one (very high or not), "low" below the first,
    "average" between the first two; else it cannot be told. Returns positions in CLASSES and probabilities,
    the shape of one draw.
    """
    low, high, highest = np.log(cuts)
    chances = {
        AVERAGE: (log_risk >= low) & (log_risk <= high),
        LOW: log_risk < low,
        HIGH: log_risk > high,
        VERY_HIGH: log_risk > highest,
    }
    given = np.full(log_risk.shape[1:], CANNOT_TELL, np.int64)
    probability = np.zeros(log_risk.shape[1:])
    for name, inside in chances.items():
        chance = inside.mean(axis=0)
        given = np.where(chance >= least, name, given)
        probability = np.where(chance >= least, chance, probability)
    return given, probability


def exceedance(log_risk: Floats, ratio: float = 1.5) -> Floats:
    """Give P(relative risk > ratio) over the draws, the shape of one draw."""
    chance: Floats = (log_risk > np.log(ratio)).mean(axis=0)
    return chance
