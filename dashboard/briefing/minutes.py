"""The papers of a meeting as PDF: the minutes on one page, and the agenda as slides, a view on each."""

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

    day : the day of the meeting. invented : the mark of invented data; empty for real data.
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

    agenda : sentence and view of each item. decisions : the rows of the table, columns : its headings. none : the
    sentence for a meeting without decisions.
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
    """A view: its place, its sentence, its name, its picture (SVG; empty for none) and the picture in words."""

    place: str
    sentence: str
    view: str
    picture: str
    alt: str


def make_minutes(paper: Paper, words: MinutesText) -> bytes:
    """Return the minutes as a tagged PDF, on one page if they fit at a font size that can be read."""
    document = {**_describe(paper), **asdict(words)}
    fitting = (size for size in _SIZES if typeset.find_ends(_MINUTES, {**document, "size": size}) == [1])
    document["size"] = next(fitting, _SIZES[0])
    return typeset.render_pdf(_MINUTES, document, _find_moment(paper))


def make_slides(paper: Paper, slides: Sequence[Slide]) -> bytes:
    """Return the agenda as a tagged PDF, one page for each view."""
    document = {**_describe(paper), "slides": [asdict(slide) for slide in slides]}
    return typeset.render_pdf(_SLIDES, document, _find_moment(paper))


def _describe(paper: Paper) -> dict[str, object]:
    return {**asdict(paper), "day": [paper.day.year, paper.day.month, paper.day.day]}


def _find_moment(paper: Paper) -> dt.datetime:
    return dt.datetime.combine(paper.day, dt.time(), dt.UTC)
