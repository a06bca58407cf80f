"""Answers of the data officer on gaps: why a partner sent cases but no outreach days, or nothing for the last quarter.

Like accepted breaks, they are a small table in the workspace. A gap without an answer may block what depends on it
(risk/report/gaps.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from data.errors import InputError
from data.release.completeness import Finding
from data.release.signed_list import GAPS
from risk.model.decisions import DecisionTable, check_quarter

# none: there was no outreach in these quarters. right: the numbers are complete as they are. closed: the partner has
# closed there. later: the file comes later, and cases of outreach in these quarters are left out until then.
ANSWERS = ("none", "right", "closed", "later")


@dataclass(frozen=True)
class GapAnswer:
    """The answer on a partner's gap. place : code of the country. first, last : identifiers of its quarters.

    answer : one of ANSWERS. note : the reason. by, on : the role of the person who answered, and the day.
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


def _check(row: GapAnswer) -> None:
    check_quarter(row.first)
    check_quarter(row.last)
    if row.answer not in ANSWERS:
        raise InputError(f"No answer {row.answer!r}. There are: {', '.join(ANSWERS)}.")


_TABLE = DecisionTable(GAPS, GapAnswer, ("partner", "place", "first"), _check)


def read_answers(folder: Path | None) -> tuple[GapAnswer, ...]:
    """Read the answers from the folder of derived results; errors as in `DecisionTable.read`."""
    return _TABLE.read(folder)


def answer_gap(
    folder: Path, new: GapAnswer, gaps: Collection[Finding], before: Callable[[], None] = lambda: None
) -> None:
    """Write an answer, in place of an earlier one on the same gap; `before` and errors as in `DecisionTable.put`.

    Raises InputError if none of `gaps`, the findings of the release, is explained by it.
    """
    if not any(new.covers(gap) for gap in gaps):
        raise InputError(
            f"No gap of {new.partner!r} in {new.place} from {new.first} to {new.last}. See: tact gaps list"
        )
    _TABLE.put(folder, new, before)


def remove_answer(
    folder: Path, partner: str, place: str, first: str, before: Callable[[], None] = lambda: None
) -> None:
    """Remove the answer on a gap; raise InputError if there is none."""
    if not _TABLE.remove(folder, (partner, place, first), before):
        raise InputError(f"No answer on {partner!r} in {place} from {first}. See: tact gaps list")
