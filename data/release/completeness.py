"""What a release lacks: which partner sent cases but no outreach days, stopped, began, or has sent nothing yet.

It is read from the table of completeness of the partner tier (data/restricted/publishing/completeness.py), and whether
it was explained from the risk result. The public tier has neither: its risk result names the countries that wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from data.release import Release
from data.workspace.types import Bools, Floats

NAME = "completeness"
LATE = "late"  # the table of how late records come
OUTREACH = "outreach"  # the record of rows with outreach days; other rows have a way of finding
State = Literal["no_days", "stopped", "began", "nothing_yet"]
QUESTIONS: tuple[State, ...] = ("no_days", "nothing_yet")  # states that a person must explain
_MATERIAL = 0.25  # of the quarters of a gap
_LONG = 2  # quarters without anything, after which a partner has stopped
_YEAR = 4  # quarters, from whose outreach days the posts of teams are estimated
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


@dataclass(frozen=True)
class GapAnswer:
    """The answer on a partner's gap. place : code of the country. first, last : identifiers of its quarters.

    answer : one of `risk.model.gaps.ANSWERS`. note : the reason. by, on : the role of the person who answered, and the
    day.
    """

    partner: str
    place: str
    first: str
    last: str
    answer: str
    note: str = ""
    by: str = ""
    on: str = ""

    def covers(self, gap: Finding) -> bool:
        """Return whether the answer explains the whole gap; what a closed partner no longer sends stays explained."""
        same = (self.partner, self.place) == (gap.partner, gap.country) and self.first <= gap.first
        return same and (self.last >= gap.last or self.answer == "closed")


@dataclass(frozen=True)
class Questions:
    """What is missing in a release, and what follows.

    open : gaps without an answer. late : gaps whose file comes later; their cells are left out. answered : all other
    findings. changes : whether answers differ without the cells of open gaps. recent : whether an open or late gap
    reaches the last year. waiting : codes of the countries with an open or late gap, all that the public tier knows.
    answers : those of the data officer. outdated : whether the risk result is of an older version.
    """

    open: tuple[Finding, ...] = ()
    late: tuple[Finding, ...] = ()
    answered: tuple[Finding, ...] = ()
    changes: bool = False
    recent: bool = False
    waiting: tuple[str, ...] = ()
    answers: tuple[GapAnswer, ...] = ()
    outdated: bool = False

    @property
    def blocked(self) -> str:
        """Why no plan is advised: "open", "late" (the posts of teams are not known), or empty."""
        if self.open and (self.changes or self.recent):
            return "open"
        return "late" if self.late and self.recent else ""


def sort_gaps(release: Release, answers: Iterable[GapAnswer] = ()) -> Questions:
    """Return what is missing in a release, with these answers; changes are assumed where a gap is open."""
    completeness, answers = read_completeness(release), tuple(answers)
    if completeness is None:
        return Questions(answers=answers)
    findings = list_findings(completeness)
    reasons = {gap: next((a.answer for a in answers if a.covers(gap)), "") for gap in findings}
    late = tuple(gap for gap in findings if reasons[gap] == "later")
    unsaid = tuple(gap for gap in findings if gap.state in QUESTIONS and not reasons[gap])
    rest = tuple(gap for gap in findings if gap not in (*late, *unsaid))
    recent = any(gap.covers(quarter) for gap in (*unsaid, *late) for quarter in completeness.quarters[-_YEAR:])
    waiting = tuple(sorted({gap.country for gap in (*unsaid, *late)}))
    return Questions(unsaid, late, rest, bool(unsaid), recent, waiting, answers)


def read_questions(release: Release) -> Questions:
    """Return what is missing in a release, with the answers and comparisons of its risk result, if there is one."""
    result = release.result("risk")
    stored: Mapping[str, Any] | None = result.manifest.get("gaps") if result else {}
    outdated, stored = stored is None, stored or {}
    questions = sort_gaps(release, (GapAnswer(**row) for row in stored.get("answers", ())))
    return replace(
        questions,
        changes=bool(stored.get("changes", questions.changes)),
        waiting=tuple(stored.get("waiting", questions.waiting)),
        outdated=outdated,
    )


def read_completeness(release: Release) -> Completeness | None:
    """Read what each partner sent; None if the release has no such table (public tier, or an older release)."""
    if NAME not in release.tables:
        return None
    table = release.table(NAME)
    values = table["value"].astype(float).fillna(0.0).mask(table["state"] == "class", 1.0)
    wide = table.assign(value=values).pivot_table(
        "value", ["record", "area", "partner"], "period", "sum", observed=True
    )
    days, discovered, reported = (wide.loc[record] for record in (OUTREACH, "discovered", "reported"))
    return Completeness(
        tuple(days.index), tuple(wide.columns), days.to_numpy(), discovered.to_numpy() > 0, reported.to_numpy() > 0
    )


def list_findings(completeness: Completeness) -> tuple[Finding, ...]:
    """Return the findings from what each partner sent, those that need an answer first.

    A gap covers all consecutive quarters without days around one in which cases were sent. A file of outreach usually
    has all countries of a partner: quarters without days in any of them are a gap in the country with most quarters of
    cases, and in others with cases in a fourth of these quarters. Fewer cases are a trace, which no country's counts
    hang on.
    """
    findings: list[Finding] = []
    quarters, end = completeness.quarters, len(completeness.quarters) - 1
    none, cases = np.asarray(completeness.days == 0), completeness.discovered
    for row, (country, partner) in enumerate(completeness.senders):
        rows = [other for other, (_, name) in enumerate(completeness.senders) if name == partner]
        missing, sent = (np.asarray(mask) for mask in (none[rows].all(axis=0), cases[rows].any(axis=0)))
        runs = set()
        for first, last in _list_runs(missing, sent):
            inside = cases[:, first : last + 1].sum(axis=1)
            if inside[row] and (inside[row] == inside[rows].max() or inside[row] >= _MATERIAL * (last + 1 - first)):
                runs.add((first, last))
        turns: list[tuple[State, int, int]] = []
        if not none[row].all():
            # It works there, so a quarter without days is a gap even if it has days elsewhere.
            runs |= set(_list_runs(none[row], cases[row]))
            # Days alone tell that it began late, stopped, or has sent nothing for the last quarter yet: a state of
            # cases may change by chance. Quarters with cases and without days are a gap instead.
            there = np.flatnonzero(~none[row] | cases[row])
            first, last = int(there[0]), int(there[-1])
            turns += [("began", first, last)] if first else []
            turns += [("stopped" if end - last >= _LONG else "nothing_yet", last + 1, end)] if last < end else []
        turns += [("no_days", *run) for run in sorted(runs)]
        findings += [Finding(state, country, partner, quarters[a], quarters[b]) for state, a, b in turns]
    return tuple(sorted(findings, key=lambda f: (f.state not in QUESTIONS, f.country, f.partner, f.first, f.state)))


def list_turns(completeness: Completeness) -> tuple[Finding, ...]:
    """Return where a partner with a good share of a country's records began or stopped, which may move its counts.

    A good share is a tenth of the outreach days, or k children in three of four quarters from its first to its last.
    """
    turns: list[Finding] = []
    quarters, end = completeness.quarters, len(completeness.quarters)
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
            turns.append(Finding("began", country, partner, quarters[first], quarters[after - 1]))
        if end - after >= _LONG:
            turns.append(Finding("stopped", country, partner, quarters[after], quarters[-1]))
    return tuple(turns)


def _list_runs(marked: Bools, needed: Bools) -> list[tuple[int, int]]:
    """Return first and last index of each run of marked quarters that has a needed one; both masks (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    return [(first, last) for first, last in runs if needed[first : last + 1].any()]
