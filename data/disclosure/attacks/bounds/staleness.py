"""How far numbers of different days may be apart.

Later releases repeat a frozen number although the records behind it change, so a sum of numbers that stand
since different releases holds only within a slack. Two truths behind one repeated number differ by at most
k - 1 children if it was not drawn again, and by the width of its interval if it was and came out the same.
A number that later releases do not repeat may be off by anything: its sums with newer numbers say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.disclosure.attacks.bounds.system import Ties
from data.disclosure.channel import UNKNOWN
from data.workspace.types import Ints

__all__ = ["Times", "slack_of"]

_FOR_EVER = 2**40
# Sums of sums that may stand on one another without being published: categories, areas, periods.
_DEPTH = 6


@dataclass(frozen=True, eq=False)
class Times:
    """When each unknown's number is from; one entry an unknown.

    since: the release from which on it stands as it does, -1 for none; spoken: the last release that showed
    it; unit: how far two truths behind it may be apart.
    """

    since: Ints
    spoken: Ints
    unit: Ints


def slack_of(ties: Ties, times: Times) -> Ints:
    """Give the slack of each tie; UNKNOWN for one that says nothing."""
    if not len(ties.total) or times.since.max(initial=-1) <= 0:
        return np.zeros(len(ties.total), np.int64)
    since, unit = times.since.copy(), times.unit.copy()
    silent = since < 0
    spoken = np.where(silent, _FOR_EVER, times.spoken)
    for _ in range(_DEPTH):  # totals that nobody published are as new as their newest part
        here = silent[ties.total]
        np.maximum.at(since, ties.total[here], _over(np.maximum, since, ties)[here])
        np.maximum.at(unit, ties.total[here], _over(np.add, np.where(since < 0, 0, unit), ties)[here])
        np.minimum.at(spoken, ties.total[here], _over(np.minimum, spoken, ties)[here])
    newest = np.maximum(_over(np.maximum, since, ties), since[ties.total])
    old = (since >= 0)[ties.part] & (since[ties.part] < newest[ties.tie])
    slack = np.bincount(ties.tie, weights=old * unit[ties.part], minlength=len(newest)).astype(np.int64)
    slack += (since[ties.total] < newest) * unit[ties.total]
    gone = np.minimum(_over(np.minimum, spoken, ties), spoken[ties.total]) < newest
    slack[gone | _dated(ties, since, newest)] = UNKNOWN
    return np.minimum(slack, UNKNOWN)


def _over(ufunc: np.ufunc, values: Ints, ties: Ties) -> Ints:
    return np.asarray(ufunc.reduceat(values[ties.part], ties.start[:-1]), np.int64)


def _dated(ties: Ties, since: Ints, newest: Ints) -> npt.NDArray[np.bool_]:
    """Find ties that hold a part of which nothing is known at an older day than another of its ties does."""
    latest = np.full(len(since), -1, np.int64)
    unknown = since[ties.part] < 0
    np.maximum.at(latest, ties.part[unknown], newest[ties.tie[unknown]])
    older = unknown & (latest[ties.part] > newest[ties.tie])
    return np.bincount(ties.tie, weights=older, minlength=len(newest)).astype(bool)
