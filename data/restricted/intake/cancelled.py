"""Find rows that their file marks as cancelled, deleted, entered twice (*anuluar*, *ακυρώθηκε*, *duplicate*) or a test.

The mark stands in a column of remarks or of the state of a record, under a heading such as *Anuluar* with a tick, in
place of a value, or in the review of a form (Kobo, ODK). A short remark counts if it has such a word anywhere and no
negation, a long one if it begins with it. A test (*TEST 1*, *provë*, *δοκιμή*) is a cell with nothing else but a
number: a child may have had a medical test. Free texts of our own columns never count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.message import Message
from data.restricted.intake.headings import Layout
from data.restricted.intake.table import HAS_WORD, RawColumn, RawTable
from data.restricted.intake.values import is_ticked, list_spellings
from data.schema import words
from data.schema.column import RecordKind
from data.workspace.folding import make_key

CANCELLED = (
    Message("marked in the file as cancelled, deleted or entered twice"),
    "a row that counts, without such a mark; a column that means something else may be ignored in the mapping",
)
TEST = (
    Message("a test entry, as the file says"),
    "a row about a child; a code of a child that has no word for a test; a column that means something else may be "
    "ignored in the mapping",
)
_SHORT = 60  # characters
# What a form server says of a submission that was refused, by heading.
_REVIEWS = {"_validation_status": {"not_approved", "validation_status_not_approved"}, "reviewstate": {"rejected"}}


def find_cancelled(kind: RecordKind, table: RawTable, layout: Layout) -> npt.NDArray[np.bool_]:
    """Return a mask of the rows that are marked as cancelled, deleted or entered twice, shape (n,)."""
    return _mask_rows(table, [*_list_states(table, layout), *_list_marks(kind, table, layout, is_mark)])


def find_tests(kind: RecordKind, table: RawTable, layout: Layout) -> npt.NDArray[np.bool_]:
    """Return a mask of the rows that are tests, by a remark or in place of a value, shape (n,)."""
    return _mask_rows(table, _list_marks(kind, table, layout, _is_test))


def _mask_rows(table: RawTable, marks: Iterable[tuple[RawColumn, list[bool]]]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(len(table.lines), dtype=bool)
    for column, marked in marks:
        if any(marked):
            mask |= np.array(marked, dtype=bool)[column.codes]
    return mask


def _list_states(table: RawTable, layout: Layout) -> Iterator[tuple[RawColumn, list[bool]]]:
    """Yield each column with a state of the record, and which of its distinct texts say that it does not count."""
    for position in layout.metadata:
        column = table.columns[position]
        states = _REVIEWS.get(column.heading.rpartition("/")[2].strip().casefold(), set())
        yield column, [make_key(text) in states for text in column.distinct] if states else []
    for position in layout.unknown:
        column = table.columns[position]
        if is_mark(re.sub(r"\(.*?\)", "", column.heading)):  # Deleted (yes/no)
            yield column, [is_ticked(text) for text in column.distinct]


def _list_marks(
    kind: RecordKind, table: RawTable, layout: Layout, says: Callable[[str], bool]
) -> Iterator[tuple[RawColumn, list[bool]]]:
    """Yield each column that may have marks, and which of its distinct texts `says` takes for one."""
    for position in layout.unknown:
        column = table.columns[position]
        yield column, [says(text) for text in column.distinct]
    for ours in kind.file_columns:
        if ours.type != "text":
            spellings = list_spellings(ours.name, tuple(ours.allowed.items()))
            for position in layout.positions_of(ours.name):
                column = table.columns[position]
                yield column, [says(text) and not words.look_up(spellings, text) for text in column.distinct]


def is_mark(text: str) -> bool:
    """Return whether a text says that its row is cancelled, deleted or entered twice."""
    if not HAS_WORD.search(text):
        return False
    if text.isalpha() and words.look_up(words.index_codes("row"), text) == "cancelled":
        return True
    spoken = f"_{make_key(text[: _SHORT + 1])}_"
    match = _pattern("cancelled").search(spoken)
    if not match or len(text) > _SHORT:
        return match is not None and match.start() == 0
    return not _pattern("negation").search(spoken)


def _is_test(text: str) -> bool:
    """Return whether a text has a word for a test and nothing else but numbers and signs."""
    if len(text) > _SHORT or not HAS_WORD.search(text):
        return False
    return words.look_up(words.index_codes("row"), re.sub(r"[\W\d_]+", " ", text)) == "test"


@lru_cache(maxsize=2)
def _pattern(code: str) -> re.Pattern[str]:
    keys = (re.escape(make_key(text)) for text, means in words.read_words()["row"].items() if means == code)
    return re.compile(rf"_(?:{'|'.join(keys)})(?=_)")
