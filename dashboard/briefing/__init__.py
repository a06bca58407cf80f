"""The briefing: a saved plan and its release as two pages for a board, and as pictures for slides.

It is made in English, Albanian and Greek. **The Albanian and Greek texts were not checked by a native speaker**; the
translations are in dashboard/site/locale/<language>/LC_MESSAGES/tact.po, and a text editor is enough to change them.

The PDF is tagged and follows PDF/UA-1; the same plan and release give the same bytes. Typst sets it with the fonts of
this package, without a network. Texts from data (titles, reasons, names of partners) are handed over as JSON and are
never read as markup.
"""

from __future__ import annotations

from typing import Any

from dashboard.briefing import typeset
from dashboard.briefing.document import Document, FirstPage, SecondPage
from dashboard.narrative.speech import LANGUAGES, Speech
from dashboard.site.current_release import load_areas
from data.errors import InputError
from data.release import Release
from risk.planning.saved import SavedPlan

__all__ = ["LANGUAGES", "make_pdf", "make_pictures"]

_PDF, _SLIDES = "briefing.typ", "slides.typ"
_NAMES = ("1-map", "2-moves", "3-uncertain")
# Sizes of each page, from the largest content to one that always fits. The first that fits is used.
_FIRST = tuple(
    FirstPage(*most)
    for most in (
        (10.0, 12, 5, 4),
        (9.7, 12, 5, 4),
        (9.4, 12, 4, 4),
        (9.0, 12, 4, 4),
        (9.0, 12, 3, 3),
        (9.0, 12, 3, 2),
        (9.0, 12, 2, 2),
        (8.8, 12, 2, 1),
        (8.6, 12, 2, 1),
        (8.6, 12, 1, 1),
        (8.3, 12, 1, 1),
        (8.3, 10, 1, 1),
        (8.3, 8, 1, 1),
        (8.3, 6, 1, 1),
        (8.0, 5, 1, 1),
        (8.0, 3, 1, 1),
        (7.4, 2, 1, 1),
        (6.8, 2, 1, 1),
    )
)
_SECOND = tuple(
    SecondPage(*most)
    for most in (
        (10.0, 6, 5, 5, 6, 6),
        (9.7, 6, 5, 5, 6, 6),
        (9.4, 6, 5, 5, 6, 6),
        (9.0, 6, 5, 5, 6, 6),
        (8.7, 6, 5, 5, 6, 6),
        (8.7, 6, 4, 5, 6, 5),
        (8.5, 6, 4, 5, 6, 5),
        (8.3, 6, 4, 5, 6, 5),
        (8.3, 6, 3, 5, 6, 4),
        (8.2, 5, 3, 5, 6, 4),
        (8.2, 4, 3, 4, 5, 4),
        (8.2, 3, 3, 3, 4, 4),
        (8.2, 3, 3, 2, 2, 4),
        (8.2, 3, 3, 1, 1, 4),
        (8.2, 2, 3, 1, 1, 4),
        (8.2, 1, 3, 1, 1, 4),
        (8.0, 1, 2, 1, 1, 4),
        (7.4, 1, 1, 1, 1, 3),
        (6.8, 1, 1, 1, 1, 3),
    )
)


def make_pdf(plan: SavedPlan, release: Release, language: str = "en") -> bytes:
    """Return the briefing on a saved plan as a PDF, which always has two pages.

    release : the release from which the plan was made, with its derived results. Raises InputError for an unknown
    language, or a plan of another release or tier.
    """
    documents = {name: _open_document(plan, release, name) for name in dict.fromkeys((language, *LANGUAGES))}
    first, second = _find_sizes(list(documents.values()))
    return typeset.render_pdf(_PDF, _write_pages(documents[language], first, second), plan.created)


def make_pictures(plan: SavedPlan, release: Release, language: str = "en") -> dict[str, bytes]:
    """Return three PNG pictures for slides, 1920 x 1080 pixels, by file name: map, moves, doubts.

    Arguments and errors are those of `make_pdf`.
    """
    document = _open_document(plan, release, language)
    images = typeset.render_pngs(_SLIDES, {**document.write_common(), **document.write_slides()})
    return {f"{name}-{language}.png": picture for name, picture in zip(_NAMES, images, strict=True)}


def _open_document(plan: SavedPlan, release: Release, language: str) -> Document:
    if language not in LANGUAGES:
        raise InputError(f"No briefing in {language!r}; the languages are {', '.join(LANGUAGES)}.")
    return Document(plan, release, Speech(language, load_areas(release)))


def _find_sizes(documents: list[Document]) -> tuple[int, int]:
    """Return the indices in `_FIRST` and `_SECOND` of the first sizes that fit in every language.

    So a briefing lists the same moves in each language. One binary search finds both.
    """
    between = [(0, len(_FIRST) - 1), (0, len(_SECOND) - 1)]  # lowest and highest possible index in both lists
    while any(low < high for low, high in between):
        first, second = ((low + high) // 2 for low, high in between)
        ends = [typeset.find_ends(_PDF, _write_pages(document, first, second)) for document in documents]
        between = [
            _halve(between[0], first, is_long=any(end[0] > 1 for end in ends)),
            _halve(between[1], second, is_long=any(end[1] - end[0] > 1 for end in ends)),
        ]
    return between[0][0], between[1][0]


def _write_pages(document: Document, first: int, second: int) -> dict[str, Any]:
    pages = document.write_first_page(_FIRST[first]) | document.write_second_page(_SECOND[second])
    return document.write_common() | pages


def _halve(between: tuple[int, int], index: int, *, is_long: bool) -> tuple[int, int]:
    low, high = between
    return (min(index + 1, high), high) if is_long else (low, index)
