"""A partner's table as read: columns of codes over distinct texts, and the rows that could not be read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from data.errors import FileRefused
from data.message import Message
from data.restricted.intake.personal_words import is_place
from data.restricted.intake.start import Start
from data.restricted.intake.values import NOT_STRUCK, STRUCK, STRUCK_CELL, find_month
from data.schema import words
from data.workspace.folding import make_key

_LONGEST_TOTAL = 40
HAS_WORD = re.compile(r"[^\W\d_]{3}|[Σσ]")  # as codes of children, of which there may be a million, have not
_CHILDREN = (
    "femije",
    "femijet",
    "femijeve",
    "children",
    "παιδια",
    "παιδιων",
    "rastesh",
    "raste",
    "cases",
    "περιπτωσεων",
)

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, order=True)
class Fault:
    """Why a row is rejected: its line in the file, the column ("" for the row), what is wrong and what is allowed."""

    line: int
    column: str
    reason: Message
    allowed: str


@dataclass(frozen=True)
class RawColumn:
    """A column as read: its heading, one code per row, and the distinct texts that the codes index."""

    heading: str
    codes: Codes
    distinct: list[str]


@dataclass
class RawTable:
    """A table as read: its columns, the line on which each row begins, (n,), and where it begins in the file.

    faults: the rows that could not be read. notes: messages to the person who imports the file. totals: the whole
    numbers in rows of totals, which are not read as records. shown_zeros: by heading, how many numbers of a workbook
    show zeros in front by their format alone (14 as 0014).
    """

    columns: list[RawColumn]
    lines: npt.NDArray[np.int64]
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    begin: Start = field(default_factory=lambda: Start(0, 1, []))
    totals: tuple[int, ...] = ()
    shown_zeros: Mapping[str, int] = field(default_factory=dict)


def cross_out(line: int, cells: list[str], struck: Collection[int]) -> list[str] | Fault:
    """Return the cells of a row in which cells are crossed out, by position; a fault if most cells with content are.

    A single crossed-out cell becomes STRUCK_CELL, so that it is a fault only in a column that is read.
    """
    if 2 * len(struck) > sum(map(bool, cells)):
        return Fault(line, "", STRUCK, NOT_STRUCK)
    return [STRUCK_CELL if n in struck else cell for n, cell in enumerate(cells)] if struck else cells


def refuse_locked(name: str) -> FileRefused:
    """Return the error for a workbook with a password."""
    return FileRefused(
        Message(
            "{name} is protected by a password. Open it, save a copy without a password as .xlsx, "
            "import the copy and delete it.",
            name=name,
        )
    )


def is_total(cells: Sequence[str]) -> bool:
    """Return whether a row holds totals.

    Its first filled cell has at most 40 characters and is a word for totals: alone or with others, before a sign or a
    number, or before a place, month or word for children. Accents do not count: capitals are often without them.
    """
    first = next((cell for cell in cells if cell), "")
    if len(first) > _LONGEST_TOTAL or not HAS_WORD.search(first):
        return False
    bare = re.split(r"[:(=]| \d", " ".join(first.casefold().split()))[0].strip(" .-–—*/")
    if any(map(str.isdigit, bare)):  # as in most codes of children
        return False
    word, *others = spoken = make_key(bare).split("_")
    totals, parts = _total_words()
    if totals & {*spoken} and parts.issuperset(spoken):
        return True
    rest = bare.partition(" ")[2]
    return word in totals and bool(others) and bool(is_place(rest) or find_month(rest) or others[-1] in _CHILDREN)


@lru_cache(maxsize=1)
def _total_words() -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that alone mean totals, and all words that may stand with them ("grand", "i përgjithshëm")."""
    keys = [make_key(text) for text in words.read_words()["total"]]
    return frozenset(key for key in keys if "_" not in key), frozenset("_".join(keys).split("_"))
