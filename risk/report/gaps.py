"""Gaps that would change an answer: fits with and without the cells that depend on them, docs/risk-model.md eq. (160).

A gap without an answer of the data officer blocks what depends on it, if statements or need differ without these cells,
or if it reaches the last year, from whose outreach days the posts of teams are estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from data.release import Release
from data.release.completeness import QUESTIONS, Finding, find_gaps, list_turns, read_completeness
from data.workspace.types import Floats
from risk.model.breaks import Break
from risk.model.gaps import GapAnswer
from risk.report.tables import JudgedFit

_YEAR = 4  # quarters
_ENDS = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class Questions:
    """What is missing in a release, and what follows.

    open : gaps without an answer. late : gaps whose file comes later; their cells are left out. answered : all other
    findings. changes : whether answers differ without the cells of open gaps. recent : whether an open or late gap
    reaches the last year.
    """

    open: tuple[Finding, ...] = ()
    late: tuple[Finding, ...] = ()
    answered: tuple[Finding, ...] = ()
    changes: bool = False
    recent: bool = False

    @property
    def blocked(self) -> str:
        """Why no plan is advised: "open", "late" (the posts of teams are not known), or empty."""
        if self.open and (self.changes or self.recent):
            return "open"
        return "late" if self.late and self.recent else ""


def sort_gaps(release: Release, answers: Iterable[GapAnswer] = ()) -> Questions:
    """Return what is missing in a release, with these answers; changes are assumed where a gap is open."""
    findings, answers = find_gaps(release), tuple(answers)
    completeness = read_completeness(release)
    year = completeness.quarters[-_YEAR:] if completeness else ()
    reasons = {gap: next((a.answer for a in answers if a.covers(gap)), "") for gap in findings}
    late = tuple(gap for gap in findings if reasons[gap] == "later")
    unsaid = tuple(gap for gap in findings if gap.state in QUESTIONS and not reasons[gap])
    rest = tuple(gap for gap in findings if gap not in (*late, *unsaid))
    recent = any(gap.covers(quarter) for gap in (*unsaid, *late) for quarter in year)
    return Questions(unsaid, late, rest, bool(unsaid), recent)


def read_questions(release: Release) -> Questions:
    """Return what is missing in a release, with the answers and comparisons of its risk result, if there is one."""
    result = release.result("risk")
    stored: Mapping[str, Any] = (result.manifest.get("gaps") if result else None) or {}
    questions = sort_gaps(release, read_stored_answers(stored))
    if not stored:
        return questions
    return replace(questions, changes=bool(stored.get("changes")))


def find_turns(release: Release, answers: Iterable[GapAnswer]) -> tuple[Break, ...]:
    """Return from when on a partner with a good share of records sent some, or none, in a country.

    That it has closed, the data officer may have answered.
    """
    completeness = read_completeness(release)
    turns = list_turns(completeness) if completeness else ()
    closed = [Break(a.first, a.place, a.partner) for a in answers if a.answer == "closed"]
    return (*(Break(turn.first, turn.country, turn.partner) for turn in turns), *closed)


def read_stored_answers(stored: Mapping[str, Any]) -> tuple[GapAnswer, ...]:
    """Read the answers from what `describe_gaps` returned."""
    return tuple(GapAnswer(**row) for row in stored.get("answers", ()))


def describe_gaps(answers: Sequence[GapAnswer], judged: JudgedFit, without: JudgedFit | None) -> dict[str, Any]:
    """Return answers and comparison as plain values for a manifest.

    without : the judgement without the cells of open gaps; None if there is no such gap.
    """
    differ = {} if without is None else compare_judgements(judged, without)
    return {"answers": [asdict(answer) for answer in answers], **differ, "changes": any(differ.values())}


def compare_judgements(judged: JudgedFit, other: JudgedFit) -> dict[str, Any]:
    """Compare two judgements of the same areas.

    statements, changed : numbers of statements on areas, and of changes in the last year, that differ. need : codes of
    the areas where the middle of one need lies beyond the 95 % interval of the other.
    """
    statements = judged.whole.statements.position != other.whole.statements.position
    changed = 0
    if judged.changed is not None and other.changed is not None:
        positions = (entry.statements.position[:, -1] for entry in (judged.changed, other.changed))
        changed = int(np.not_equal(*positions).sum())
    need, again = (_find_ends(entry.need) for entry in (judged, other))
    beyond = _lies_beyond(need[1], again) | _lies_beyond(again[1], need)
    areas = [area for area, differs in zip(judged.observations.areas, beyond, strict=True) if differs]
    return {"statements": int(statements.sum()), "changed": changed, "need": areas}


def _find_ends(need: Floats) -> Floats:
    """Return the lower end, middle and upper end of the need of all pathways, (3, A), from draws, (d, A, P)."""
    return np.asarray(np.quantile(need.sum(axis=2), _ENDS, axis=0))


def _lies_beyond(middle: Floats, ends: Floats) -> Any:  # noqa: ANN401 (a mask)
    return (middle < ends[0]) | (middle > ends[2])
