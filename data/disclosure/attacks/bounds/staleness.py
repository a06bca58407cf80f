"""The slack of sums over numbers from different days.

Later releases repeat a frozen number although the records behind it change, so a sum of numbers from
different releases holds only within a slack. Two true counts behind one repeated number differ by at most
k - 1 children if it was not drawn again, and by the width of its interval if a new draw gave the same number.
A number that later releases do not repeat may be off by any amount: its sums with newer numbers give no information.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.disclosure.attacks.bounds.system import Ties
from data.disclosure.channel import UNKNOWN
from data.workspace.types import Ints

_FOREVER = 2**40
_DEPTH = 6  # longest chain of unpublished sums of sums: categories, areas, periods


@dataclass(frozen=True, eq=False)
class Times:
    """The age of each unknown's number; arrays with one entry for each unknown.

    since: the first release with the present number, -1 for none; last_number: the last release with a
    number; unit: the largest difference between two true counts behind it.
    """

    since: Ints
    last_number: Ints
    unit: Ints


def compute_slack(ties: Ties, times: Times) -> Ints:
    """Compute the slack of each tie; UNKNOWN for a tie without information."""
    if not len(ties.total) or times.since.max(initial=-1) <= 0:
        return np.zeros(len(ties.total), np.int64)
    since, unit = times.since.copy(), times.unit.copy()
    silent = since < 0
    last_number = np.where(silent, _FOREVER, times.last_number)
    for _ in range(_DEPTH):  # unpublished totals are as new as their newest part
        here = silent[ties.total]
        np.maximum.at(since, ties.total[here], _reduce_parts(np.maximum, since, ties)[here])
        np.maximum.at(unit, ties.total[here], _reduce_parts(np.add, np.where(since < 0, 0, unit), ties)[here])
        np.minimum.at(last_number, ties.total[here], _reduce_parts(np.minimum, last_number, ties)[here])
    newest = np.maximum(_reduce_parts(np.maximum, since, ties), since[ties.total])
    old = (since >= 0)[ties.part] & (since[ties.part] < newest[ties.tie])
    slack = np.bincount(ties.tie, weights=old * unit[ties.part], minlength=len(newest)).astype(np.int64)
    slack += (since[ties.total] < newest) * unit[ties.total]
    gone = np.minimum(_reduce_parts(np.minimum, last_number, ties), last_number[ties.total]) < newest
    slack[gone | _find_outdated(ties, since, newest)] = UNKNOWN
    return np.minimum(slack, UNKNOWN)


def _reduce_parts(ufunc: np.ufunc, values: Ints, ties: Ties) -> Ints:
    return np.asarray(ufunc.reduceat(values[ties.part], ties.start[:-1]), np.int64)


def _find_outdated(ties: Ties, since: Ints, newest: Ints) -> npt.NDArray[np.bool_]:
    """Find sums that share an unpublished part with a sum of a later release.

    The two sums may describe different records.
    """
    latest = np.full(len(since), -1, np.int64)
    unknown = since[ties.part] < 0
    np.maximum.at(latest, ties.part[unknown], newest[ties.tie[unknown]])
    older = unknown & (latest[ties.part] > newest[ties.tie])
    return np.bincount(ties.tie, weights=older, minlength=len(newest)).astype(bool)
