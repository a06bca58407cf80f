"""Gaps that would change an answer: fits with and without the cells that depend on them, docs/risk-model.md eq. (160).

A gap without an answer of the data officer blocks what depends on it, if statements or need differ without these cells,
or if it reaches the last year, from whose outreach days the posts of teams are estimated.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from data.release.completeness import Questions
from data.workspace.types import Floats
from risk.report.tables import JudgedFit

_ENDS = (0.025, 0.5, 0.975)


def describe_gaps(questions: Questions, judged: JudgedFit, without: JudgedFit | None) -> dict[str, Any]:
    """Return answers and comparison as plain values for a manifest; on the public tier, which countries wait.

    without : the judgement without the cells of open gaps; None if there is no such gap.
    """
    waiting = {"waiting": list(questions.waiting)}
    if judged.observations.tier == "public":
        return waiting
    differ = {} if without is None else compare_judgements(judged, without)
    answers = [asdict(answer) for answer in questions.answers]
    return {"answers": answers, **waiting, **differ, "changes": any(differ.values())}


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
