"""The states of a published cell: never confused, never a colour of a scale.

Public: number; few ("fewer than k, possibly none"); structural_zero; no_data.
Partner: number with margin; almost_none (a noisy 0); not_searched; no_data.
Both: withheld, where a number would undo the protection of another, or where too few operators work.
Published figures: number or no_figure. Risk: class, or cannot_tell where none is sure enough.
Where only a class is published: class, with low and high. A total from which something may have been left
out is a class too: low is what is shown, and high is missing.
"""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["MEANINGS", "STATES", "WORDS", "State"]

State = Literal[
    "number",
    "class",
    "few",
    "almost_none",
    "not_searched",
    "structural_zero",
    "withheld",
    "no_data",
    "no_figure",
    "cannot_tell",
]
STATES: tuple[State, ...] = get_args(State)

# Message identifiers: dashboard/site/text.py translates them. {k} is the release's threshold.
WORDS: dict[State, str] = {
    "number": "number",
    "class": "between two values, or at least the lower",
    "few": "fewer than {k}, possibly none",
    "almost_none": "none or almost none",
    "not_searched": "no outreach recorded",
    "structural_zero": "none: no programme there",
    "withheld": "not shown here, to protect people",
    "no_data": "no data",
    "no_figure": "no figure found",
    "cannot_tell": "cannot tell",
}
# What each asks of its reader, one sentence or two.
MEANINGS: dict[State, str] = {
    "number": "The value stands, with its margin where it has one.",
    "class": "Only a range is told: its lowest and highest value stand beside it. Where the highest is "
    "missing, it is at least the lowest; where the lowest is 0, there may be none.",
    "few": "The number is small or zero; which of the two is not told, so that no child can be recognised.",
    "almost_none": "The protected number is zero; the true one was zero or very small when it was first "
    "published.",
    "not_searched": "No outreach is recorded there and then; a child may still have been met or reported. "
    "It is not a zero.",
    "structural_zero": "The programme does not work there.",
    "withheld": "The number is kept back: it would give another away, or too few operators work there or "
    "none.",
    "no_data": "Nothing was reported.",
    "no_figure": "Nobody was found to have published a figure.",
    "cannot_tell": "No answer is sure enough to be named: margins are too wide, or too much is not known.",
}
