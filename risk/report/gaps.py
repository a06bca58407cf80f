"""Gaps that would change an answer: fits with and without the cells that depend on them, docs/risk-model.md eq. (160).

A gap without an answer of the data officer blocks what depends on it, if statements or need differ without these cells,
or if it reaches the last year, from whose outreach days the posts of teams are estimated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from data.release import Release
from data.release.completeness import GapAnswer, Questions, list_turns, read_completeness
from risk.model.breaks import Break
from risk.report.tables import JudgedFit

_ENDS = (0.025, 0.5, 0.975)


def find_turns(release: Release, answers: Iterable[GapAnswer]) -> tuple[Break, ...]:
    """Return from when on a partner with a good share of records sent some, or none, in a country.

    That it has closed, the data officer may have answered.
    """
    completeness = read_completeness(release)
    turns = list_turns(completeness) if completeness else ()
    closed = [Break(a.first, a.place, a.partner) for a in answers if a.answer == "closed"]
    return (*(Break(turn.first, turn.country, turn.partner) for turn in turns), *closed)


def describe_gaps(questions: Questions, judged: JudgedFit, without: JudgedFit | None) -> dict[str, Any]:
    """Return answers and comparison as plain values for a manifest; on the public tier, which countries wait.

    without : the judgement without the cells of open gaps; None if there is no such gap.
    """
    waiting = {"waiting": list(questions.waiting)}
    if judged.observations.tier == "public":
        return waiting
    answers = [asdict(answer) for answer in questions.answers]
    return {"answers": answers, **waiting, "changes": without is not None and differ(judged, without)}


def differ(judged: JudgedFit, other: JudgedFit) -> bool:
    """Return whether two judgements of the same areas say different things.

    They do if a statement differs, or the middle of one's need of an area lies beyond the other's 95 % interval.
    """
    both = judged, other
    statements = [[entry.whole.statements.position for entry in both]]
    statements.append([entry.changed.statements.position[:, -1] for entry in both if entry.changed is not None])
    if any(not np.array_equal(positions[0], positions[1]) for positions in statements if len(positions) == len(both)):
        return True
    low, middle, high = np.quantile([entry.need.sum(axis=2) for entry in both], _ENDS, axis=1)  # (2, A) each
    return bool(((middle[::-1] < low) | (middle[::-1] > high)).any())
