"""The papers of a meeting as PDF: the minutes, and the agenda as slides with one view of the map on each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dashboard.briefing import typeset

_MINUTES, _SLIDES = "minutes.typ", "agenda.typ"
_SIZES = (10.5, 9.5, 8.5, 7.5, 6.5, 5.5)  # points; the first that fits on a page


@dataclass(frozen=True)
class Paper:
    """The texts that each paper of a meeting has, in one language.

    day : the day of the meeting. about : a line under the title. invented : the label of invented data; empty for real
    data.
    """

    language: str
    title: str
    day: dt.date
    about: str
    tier: str
    invented: str


@dataclass(frozen=True)
class MinutesText:
    """The words of the minutes.

    agenda : pairs (sentence, name of the view), one for each item. columns : headings of the table of decisions.
    decisions : its rows. none : the sentence for a meeting without decisions.
    """

    heading: str
    agenda_head: str
    agenda: Sequence[tuple[str, str]]
    decisions_head: str
    columns: Sequence[str]
    decisions: Sequence[Sequence[str]]
    none: str
    note: str


@dataclass(frozen=True)
class Slide:
    """A slide of the agenda, for one view.

    place : the number of the item, as text. sentence : what is to be said. view : the name of the view. picture : SVG,
    empty for none. alt : the picture in words.
    """

    place: str
    sentence: str
    view: str
    picture: str
    alt: str


def make_minutes(paper: Paper, words: MinutesText) -> bytes:
    """Return the minutes as a tagged PDF, in the largest font size in which they fit on one page.

    If they fit in none, they have several pages in the largest size.
    """
    document = {**_describe(paper), **asdict(words)}
    fitting = (size for size in _SIZES if typeset.find_ends(_MINUTES, {**document, "size": size}) == [1])
    document["size"] = next(fitting, _SIZES[0])
    return typeset.render_pdf(_MINUTES, document, _find_moment(paper))


def make_slides(paper: Paper, slides: Sequence[Slide]) -> bytes:
    """Return the agenda as a tagged PDF, one page for each slide."""
    document = {**_describe(paper), "slides": [asdict(slide) for slide in slides]}
    return typeset.render_pdf(_SLIDES, document, _find_moment(paper))


def _describe(paper: Paper) -> dict[str, object]:
    return {**asdict(paper), "day": [paper.day.year, paper.day.month, paper.day.day]}


def _find_moment(paper: Paper) -> dt.datetime:
    return dt.datetime.combine(paper.day, dt.time(), dt.UTC)
