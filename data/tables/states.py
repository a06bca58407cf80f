"""The states of a published cell; each is shown differently, and none as a colour of the scale.

Public: number; few ("fewer than k, possibly none"); structural_zero; no_data.
Partner: number with margin; almost_none (a noisy 0); not_searched; no_data.
Both: withheld, if a number would undo the protection of another, or if too few operators work there.
Published figures: number or no_figure. Risk: class, or cannot_tell if none is certain enough.
If only a class is published: class, with low and high. A total from which something may have been left
out is a class too: low is what is shown, and high is missing.
"""

from __future__ import annotations

from typing import Literal, get_args

from data.message import mark

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

# The published zeros. Where parts must add up to totals, a small number may be shown beside such a state.
ZEROS: tuple[State, ...] = ("almost_none", "not_searched", "structural_zero")

# The states of a number below the threshold: k for the public, for partners 1 or that of municipalities.
BELOW: tuple[State, ...] = ("few", "almost_none", "not_searched")

# {k} is the threshold.
WORDS: dict[State, str] = {
    "number": mark("number"),
    "class": mark("range"),
    "few": mark("fewer than {k}, possibly none"),
    "almost_none": mark("none or almost none"),
    "not_searched": mark("not searched"),
    "structural_zero": mark("zero: the programme does not work here"),
    "withheld": mark("withheld to protect people"),
    "no_data": mark("no data"),
    "no_figure": mark("no published figure"),
    "cannot_tell": mark("cannot tell"),
}
# What each means for its reader, in one to three sentences.
MEANINGS: dict[State, str] = {
    "number": mark("The number is shown, with its margin if it has one."),
    "class": mark(
        "Only a lower and an upper limit are published. If the upper limit is empty, the number is at "
        "least the lower limit. If the lower limit is 0, there may be none."
    ),
    "few": mark("The number is small or zero. Which of the two is not published, so that no child can be recognised."),
    "almost_none": mark(
        "The protected number is zero or, for municipalities, too small to show; the true one was zero or small when "
        "it was first published."
    ),
    "not_searched": mark(
        "No outreach is recorded for this area and period. A child may still have been reported. It is not a zero."
    ),
    "structural_zero": mark("The programme does not work in this area, so the number is zero."),
    "withheld": mark(
        "Nothing is shown, because another number could be calculated from it, or because too few "
        "operators, possibly none, work there."
    ),
    "no_data": mark("Nobody reported anything for this area and period."),
    "no_figure": mark("No published figure was found for this area."),
    "cannot_tell": mark("The numbers are too uncertain for an answer. It does not mean that the risk is low."),
}
