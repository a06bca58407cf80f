"""Whether the rate of an area changed over a year, from draws of the model, with the effort of both years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Bools, Floats, Ints

CLASSES = ("falling", "steady", "rising", "cannot tell")
FALLING, STEADY, RISING, CANNOT_TELL = range(4)
ALIKE = 1.25  # a year's rate within this factor of the year before is steady
EFFORT_RATIO = 1.5  # from which on a change comes with a warning
# Stricter than for a class of risk: a change is looked at again each quarter.
_SURE, _STEADY = 0.9, 0.8
_ENDS = (0.025, 0.5, 0.975)


@dataclass(frozen=True, eq=False)
class Changes:
    """The rate of the year up to each quarter, divided by that of the year before: eq. (48).

    ratio : 2.5 %, median and 97.5 %, (3, areas, looks, pathways). classes : positions in CLASSES, (areas,
    looks, pathways). probability : of the class, 0 for CANNOT_TELL. effort_ratio : of outreach days,
    (areas, looks), NaN if there were none before.
    """

    ratio: Floats
    classes: Ints
    probability: Floats
    effort_ratio: Floats

    @property
    def effort_warning(self) -> Bools:
        """Where effort changed in the same direction as the rate, (areas, looks, pathways)."""
        more = ~(self.effort_ratio <= EFFORT_RATIO)[:, :, None]
        less = (self.effort_ratio < 1.0 / EFFORT_RATIO)[:, :, None]
        return np.asarray(((self.classes == RISING) & more) | ((self.classes == FALLING) & less))


def find_changes(log_rate: Floats, effort: Floats, before_breaks: Bools, year: int = 4) -> Changes:
    """Compare years, from draws of log rates (d, areas, quarters, pathways) and effort (areas, quarters).

    before_breaks : quarters before each series break, (breaks, areas, quarters). Nothing is said of two years with a
    break between their quarters.
    """
    sums = np.cumsum(np.exp(log_rate), axis=2)
    later = _sum_spans(sums, year)
    ratio = later[:, :, year:] / later[:, :, :-year]
    days = _sum_spans(np.cumsum(effort, axis=1)[None], year)[0]
    before, after = days[:, :-year], days[:, year:]
    chances = {
        STEADY: ((ratio >= 1 / ALIKE) & (ratio <= ALIKE)).mean(axis=0),
        FALLING: (ratio < 1 / ALIKE).mean(axis=0),
        RISING: (ratio > ALIKE).mean(axis=0),
    }
    classes = np.full(ratio.shape[1:], CANNOT_TELL, np.int64)
    probability = np.zeros(ratio.shape[1:])
    for name, chance in chances.items():
        sure = chance >= (_STEADY if name == STEADY else _SURE)
        classes, probability = np.where(sure, name, classes), np.where(sure, chance, probability)
    span = 2 * year - 1  # quarters from the first to the last of both years
    crossed = np.atleast_3d((before_breaks[:, :, :-span] & ~before_breaks[:, :, span:]).any(axis=0))
    classes, probability = np.where(crossed, CANNOT_TELL, classes), np.where(crossed, 0.0, probability)
    known = before > 0
    with np.errstate(over="ignore"):  # next to nothing before
        more = np.divide(after, before, out=np.full(before.shape, np.nan), where=known)
    return Changes(np.quantile(ratio, _ENDS, axis=0), classes, probability, more)


def _sum_spans(sums: Floats, year: int) -> Floats:
    """Return the sums of each `year` quarters in a row from running sums, (d, areas, quarters, ...)."""
    first = sums[:, :, year - 1 : year]
    return np.concatenate([first, sums[:, :, year:] - sums[:, :, :-year]], axis=2)
