"""Answers of the data officer on gaps: why a partner sent cases but no outreach days, or nothing for the last quarter.

Like accepted breaks, they are a small table in the workspace. A gap without an answer may block what depends on it
(data/release/completeness.py).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from data.errors import InputError
from data.release.completeness import Finding, GapAnswer
from data.release.signed_list import GAPS
from risk.model.decisions import DecisionTable, check_quarter

# none: there was no outreach in these quarters. right: the numbers are complete as they are. closed: the partner has
# closed there. later: the file comes later, and cases of outreach in these quarters are left out until then.
ANSWERS = ("none", "right", "closed", "later")


def _check(row: GapAnswer) -> None:
    check_quarter(row.first)
    check_quarter(row.last)
    if row.answer not in ANSWERS:
        raise InputError(f"No answer {row.answer!r}. There are: {', '.join(ANSWERS)}.")


_TABLE = DecisionTable(GAPS, GapAnswer, ("partner", "place", "first"), _check)


def read_answers(folder: Path | None) -> tuple[GapAnswer, ...]:
    """Read the answers from the folder of derived results; errors as in `DecisionTable.read`."""
    return _TABLE.read(folder)


def answer_gap(folder: Path, gap: Finding, answer: str, note: str) -> GapAnswer:
    """Write the data officer's answer on a gap, in place of an earlier one; return it. Errors: `DecisionTable.put`."""
    today = datetime.now(UTC).date().isoformat()
    new = GapAnswer(gap.partner, gap.country, gap.first, gap.last, answer, note, "data officer", today)
    _TABLE.put(folder, new)
    return new


def remove_answer(folder: Path, answer: GapAnswer) -> None:
    """Remove an answer, if it is still there."""
    _TABLE.remove(folder, (answer.partner, answer.place, answer.first))
