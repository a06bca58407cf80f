"""What a reject may repeat of a cell, so that a partner finds the row: decided here alone, by kind of column.

Never repeated is what stands in a column of identifiers, record numbers, codes or free text, or in one that
is not ours. Of the others only what has the shape of a wrong answer is repeated, at most 40 characters of it:

- numbers of at most six digits (phone numbers have more) and two decimals (coordinates have more);
- days and periods with a year from the column's first one on (a day of birth in its place lies before);
- categories and places of letters alone. In a row about a child they might be its name, that slid there from
  another column: so one plain word, of a row in which nothing else is wrong, that stands in no identifier or
  text of the file; as a category not with a capital, unless it is nearly one of ours.

A first name alone, typed as the place of a row that is right otherwise, cannot be told from a village.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from data.restricted.intake.headings import Layout
from data.restricted.intake.table import RawTable
from data.schema.column import Column, RecordKind
from data.workspace.folding import fold, key_of

__all__ = ["LONGEST", "Repeater"]

LONGEST = 40
_DIGITS = 6
_NEAR = 0.75  # of 1: a letter or two wrong in a category
_NUMBER = re.compile(r"[+-]?\d{1,6}(?:[.,]\d{1,2})?\s?%?")
_DAY = re.compile(
    r"(?:\d{1,2}[./ -]\d{1,2}[./ -](\d{4})|(\d{4})[./ -]\d{1,2}[./ -]\d{1,2}|(\d{4})-?[Ww]\d{1,2})"
)
_PERIOD = re.compile(r"((?:19|20)\d\d)(?:[-/. ]?[QqPpWw]?\d{1,2}[MmYy]?){0,6}")
_WORDS = re.compile(r"[^\W\d_]+(?:[ '’./&-]{1,2}[^\W\d_]+)*\.?")
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Repeater:
    """Knows a file's columns and the words that stand where nothing may be repeated from."""

    kind: RecordKind
    words: frozenset[str]

    @classmethod
    def of(cls, kind: RecordKind, table: RawTable, layout: Layout) -> Repeater:
        """Collect the words of identifiers, of free texts and of columns that are not ours."""
        ours = {position: kind.column(name) for name, position in layout.columns.items()}
        kept = [raw.distinct for p, raw in enumerate(table.columns) if p not in ours or _kept(ours[p])]
        return cls(kind, frozenset(_words_of(kept)) if kind.of_children else frozenset())

    def repeat(self, column: str, text: str, *, alone: bool) -> str:
        """Give a cell as a reject may hold it, else the empty text.

        `alone`: nothing else is wrong in its row.
        """
        given, text = self.kind.column(column), " ".join(text.split())
        if not text or len(text) > LONGEST or _kept(given):
            return ""
        if given.numeric:
            return text if _is_number(text) else ""
        if given.type in ("category", "area"):
            return text if self._may_show(given, text, alone=alone) else ""
        year = _year_of(given, text)
        return text if year and year >= given.earliest[:4] else ""

    def _may_show(self, column: Column, text: str, *, alone: bool) -> bool:
        known = [*map(key_of, column.allowed), *map(key_of, column.allowed.values())]
        if not self.kind.of_children or key_of(text) in known:
            return bool(_WORDS.fullmatch(text)) or key_of(text) in known
        if not alone or not _WORD.fullmatch(text) or fold(text) in self.words:
            return False
        if column.type == "area" or text.islower():
            return True
        return bool(difflib.get_close_matches(key_of(text), known, 1, cutoff=_NEAR))


def _kept(column: Column) -> bool:
    """Say whether nothing of a column is ever repeated."""
    return column.type in ("identifier", "hash", "text", "code")


def _words_of(columns: Iterable[Collection[str]]) -> Iterator[str]:
    for texts in columns:
        for text in texts:
            yield from map(fold, _WORD.findall(text))


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and sum(map(str.isdigit, text)) <= _DIGITS


def _year_of(column: Column, text: str) -> str:
    """Give the year of what is written as a day or a period; the empty text for anything else."""
    match = (_PERIOD if column.type == "period" else _DAY).fullmatch(text)
    return next(filter(None, match.groups()), "") if match else ""
