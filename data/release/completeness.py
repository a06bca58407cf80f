"""What a release lacks: which partner sent cases but no outreach days, stopped, began, or has sent nothing yet.

It is read from the table of completeness of the partner tier (data/restricted/publishing/completeness.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
import pandas as pd

from data.release import Release
from data.workspace.types import Bools, Floats

NAME = "completeness"
LATE = "late"  # the table of how late records come
OUTREACH = "outreach"  # the record of rows with outreach days; other rows have a way of finding
State = Literal["no_days", "stopped", "began", "nothing_yet"]
QUESTIONS: tuple[State, ...] = ("no_days", "nothing_yet")  # states that a person must explain
_MATERIAL = 0.25  # of the quarters of a gap
_LONG = 2  # quarters without anything, after which a partner has stopped
_GOOD_SHARE, _MOST = 0.1, 0.75  # of the days of a country; of the quarters with k children


@dataclass(frozen=True, eq=False)
class Completeness:
    """What each partner sent, by country and quarter.

    senders : country and partner, S in their order. quarters : identifiers, T. days : outreach days, (S, T), 0 where
    none is recorded. discovered, reported : whether the partner sent at least k such children, decided on a number with
    noise, (S, T); False means fewer than k, possibly none.
    """

    senders: tuple[tuple[str, str], ...]
    quarters: tuple[str, ...]
    days: Floats
    discovered: Bools
    reported: Bools


@dataclass(frozen=True)
class Finding:
    """What is known of a partner's records in a country over consecutive quarters.

    state : no_days: it sent cases of children discovered by outreach, but no outreach days. nothing_yet: nothing came
    for the last quarter. stopped: nothing since `first`, for two quarters or more. began: nothing before `first`.
    first, last : identifiers of the first and the last of the quarters.
    """

    state: State
    country: str
    partner: str
    first: str
    last: str

    def covers(self, quarter: str) -> bool:
        """Return whether a quarter (its identifier) is one of the quarters."""
        return self.first <= quarter <= self.last


def read_completeness(release: Release) -> Completeness | None:
    """Read what each partner sent; None if the release has no such table (public tier, or an older release)."""
    if NAME not in release.tables:
        return None
    table = release.table(NAME)
    wide = table.assign(sent=table["state"] == "class").set_index(["area", "partner", "record", "period"])
    quarters = tuple(sorted(table["period"].unique()))
    senders = tuple(sorted(set(table[["area", "partner"]].astype(str).itertuples(index=False, name=None))))

    def fill(record: str, column: str) -> Floats:
        full = pd.MultiIndex.from_tuples(
            [(*sender, record, quarter) for sender in senders for quarter in quarters], names=wide.index.names
        )
        values = wide[column].astype(float).reindex(full).fillna(0.0).to_numpy()
        return np.asarray(values.reshape(len(senders), len(quarters)))

    if not senders:
        nothing = np.zeros((0, 0))
        return Completeness((), (), nothing, nothing > 0, nothing > 0)
    sent = [fill(way, "sent") > 0 for way in ("discovered", "reported")]
    return Completeness(senders, quarters, fill(OUTREACH, "value"), *sent)


def find_gaps(release: Release) -> tuple[Finding, ...]:
    """Return all findings of a release, those that need an answer first; empty if it has no table of completeness."""
    completeness = read_completeness(release)
    return () if completeness is None else list_findings(completeness)


def list_findings(completeness: Completeness) -> tuple[Finding, ...]:
    """Return the findings from what each partner sent, those that need an answer first.

    A gap covers all consecutive quarters without days around one in which cases were sent. A file of outreach usually
    has all countries of a partner: quarters without days in any of them are a gap in the country with most quarters of
    cases, and in others with cases in a fourth of these quarters. Fewer cases are a trace, which no country's counts
    hang on.
    """
    findings: list[Finding] = []
    for partner, rows in _group_by_partner(completeness.senders):
        missing = (completeness.days[rows] == 0).all(axis=0)
        sent = completeness.discovered[rows].any(axis=0) & missing
        everywhere = _list_runs(missing, sent)
        for row in rows:
            country, _ = completeness.senders[row]
            some = (completeness.days[row] > 0).any()
            runs = {run for run in everywhere if _is_material(completeness, rows, row, run)}
            if some:  # it works there, so a quarter without days is a gap even if it has days elsewhere
                here = (completeness.days[row] == 0) & completeness.discovered[row]
                runs |= set(_list_runs(completeness.days[row] == 0, here))
            findings += [_make("no_days", completeness, country, partner, *run) for run in sorted(runs)]
            findings += _find_turns(completeness, row)
    return tuple(sorted(findings, key=lambda f: (f.state not in QUESTIONS, f.country, f.partner, f.first, f.state)))


def _group_by_partner(senders: Sequence[tuple[str, str]]) -> list[tuple[str, list[int]]]:
    order = sorted(range(len(senders)), key=lambda row: senders[row][1])
    return [(name, list(rows)) for name, rows in groupby(order, key=lambda row: senders[row][1])]


def _is_material(completeness: Completeness, rows: Sequence[int], row: int, run: tuple[int, int]) -> bool:
    """Return whether cases of a partner (all its `rows`) in a country are more than a trace in a run of quarters."""
    inside = slice(run[0], run[1] + 1)
    cases = completeness.discovered[rows, inside].sum(axis=1)
    here = cases[list(rows).index(row)]
    return bool(here > 0 and (here == cases.max() or here >= _MATERIAL * (run[1] + 1 - run[0])))


def _find_turns(completeness: Completeness, row: int) -> list[Finding]:
    """Return whether a partner began late in a country, stopped, or has sent nothing for the last quarter yet.

    Days alone tell it: a state of cases may change by chance. Quarters with cases and without days are a gap instead.
    """
    country, partner = completeness.senders[row]
    there = np.flatnonzero((completeness.days[row] > 0) | completeness.discovered[row])
    if not completeness.days[row].any():
        return []
    first, last, end = int(there[0]), int(there[-1]), len(completeness.quarters) - 1
    turns = [_make("began", completeness, country, partner, first, last)] if first else []
    if last < end:
        state: State = "stopped" if end - last >= _LONG else "nothing_yet"
        turns.append(_make(state, completeness, country, partner, last + 1, end))
    return turns


def _make(state: State, completeness: Completeness, country: str, partner: str, first: int, last: int) -> Finding:
    return Finding(state, country, partner, completeness.quarters[first], completeness.quarters[last])


def list_turns(completeness: Completeness) -> tuple[Finding, ...]:
    """Return where a partner with a good share of a country's records began or stopped, which may move its counts.

    A good share is a tenth of the outreach days, or k children in three of four quarters from its first to its last.
    """
    turns, end = [], len(completeness.quarters)
    for row, (country, partner) in enumerate(completeness.senders):
        days, children = completeness.days[row], completeness.discovered[row] | completeness.reported[row]
        there = np.flatnonzero((days > 0) | children)
        if not len(there):
            continue
        first, after = int(there[0]), int(there[-1]) + 1
        whole = completeness.days[[c == country for c, _ in completeness.senders], first:after].sum()
        if children[first:after].mean() < _MOST and days.sum() < max(_GOOD_SHARE * whole, 1.0):
            continue
        if first >= _LONG:
            turns.append(_make("began", completeness, country, partner, first, after - 1))
        if end - after >= _LONG:
            turns.append(_make("stopped", completeness, country, partner, after, end - 1))
    return tuple(turns)


def _list_runs(marked: Bools, needed: Bools) -> list[tuple[int, int]]:
    """Return first and last index of each run of marked quarters that has a needed one; both masks (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    return [(first, last) for first, last in runs if needed[first : last + 1].any()]
