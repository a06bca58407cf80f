"""The list of rejected rows, and which cell contents it may repeat to help a partner find the row.

The content of identifiers, codes, free text and unknown columns is never repeated. A record number is repeated only in
its own column of the list, and only if it looks like one. From other columns only texts of at most 40 characters that
look like wrong answers are repeated:

- numbers of at most six digits (phone numbers have more) and two decimals (coordinates have more);
- days and periods whose year is not before the earliest year of the column (a date of birth is before it);
- categories and places that consist of letters. In a row about a child they might be its name in the wrong
  column. So, apart from allowed categories, a text is repeated only if nothing else in the row is wrong, and only if
  it is a known place or a single plain word that no identifier or text of the file contains. A category with a capital
  letter is repeated only if it is nearly an allowed one. A text that looks like a name or a number of a person
  (personal_words.py) is repeated in no row. An unsure word of our tables (data/schema/words) is no name.

A rare first name typed as the place, in an otherwise correct row, cannot be distinguished from a village's name. So
only its owner can read a list, and it is removed when a child is forgotten or the partner withdraws: it can be made
again from the file. Each partner has a folder; files with rows of several partners, or without a named partner, share
one.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.message import Message
from data.restricted.intake.checks import Rows
from data.restricted.intake.headings import Layout
from data.restricted.intake.personal_words import is_personal_in, is_place
from data.restricted.intake.table import Fault, RawTable
from data.restricted.intake.values import UNSURE_WORD
from data.schema import get_kind
from data.schema.column import Column, RecordKind
from data.schema.words import index_unsure, look_up
from data.workspace.files import write_text
from data.workspace.folding import fold, make_key, normalize_identifier
from data.workspace.safe_text import escape_frame

REJECT_COLUMNS = ("line", "record_number", "column", "value", "reason", "allowed")
LONGEST = 40
_SEVERAL = "_several"  # begins as no partner's folder does
_LONGEST_FOLDER = 60
_LONGEST_FILE = 180  # bytes of the name; the rest is for what a list and its temporary file are called besides
_SHARED = 3  # rows that must have a value before it is shown with the reason
_LINES = 5  # numbers of lines that are listed for a reason
_DIGITS = 6
_NEAR = 0.75  # of 1: a letter or two wrong in a category
_NUMBER = re.compile(r"[+-]?\d{1,6}(?:[.,]\d{1,2})?\s?%?")
_DAY = re.compile(r"(?:\d{1,2}[./ -]\d{1,2}[./ -](\d{4})|(\d{4})[./ -]\d{1,2}[./ -]\d{1,2}|(\d{4})-?[Ww]\d{1,2})")
_PERIOD = re.compile(r"((?:19|20)\d\d)(?:[-/. ]?[QqPpWw]?\d{1,2}[MmYy]?){0,6}")
_WORDS = re.compile(r"[^\W\d_]+(?:[ '’./&-]{1,2}[^\W\d_]+)*\.?")
_WORD = re.compile(r"[^\W\d_]{2,}")
_RECORD_NUMBER = re.compile(r"(?=\D*\d)[\w./-]{1,40}")


def find_list(folder: Path, partners: Iterable[str], file: str, sheet: int = 0) -> Path:
    """Return the path of the list of rejects for a file with rows of these partners; `folder` has all lists.

    Each sheet of a file has its own list. `sheet` is its number, 0 for a text file.
    """
    folders = {_name_folder(partner) for partner in partners}
    name = _shorten(file) + (f".sheet-{sheet}" if sheet > 1 else "")
    return folder / (folders.pop() if len(folders) == 1 else _SEVERAL) / f"{name}.rejected.csv"


def _shorten(file: str) -> str:
    """Return the name of a file; if it has more than 180 bytes (disks allow 255), its beginning and a checksum."""
    whole = file.encode("utf-8", "surrogateescape")
    if len(whole) <= _LONGEST_FILE:
        return file
    return f"{whole[:_LONGEST_FILE].decode('utf-8', 'ignore')}-{hashlib.sha256(whole).hexdigest()[:8]}"


def remove_lists(folder: Path, partner: str | None = None) -> bool:
    """Remove all lists, or the lists that may contain rows of a partner; return whether there were any.

    Lists of earlier versions are beside the partners' folders. They name no partner and are always removed.
    """
    folders = [folder, folder / _SEVERAL, folder / _name_folder(partner)] if partner else [folder, *folder.glob("*/")]
    lists = [path for place in folders for path in place.glob("*.csv")]
    for path in lists:
        path.unlink(missing_ok=True)
    return bool(lists)


def _name_folder(partner: str) -> str:
    return re.sub(r"[^\w-]+", "-", normalize_identifier(partner)).strip("-_")[:_LONGEST_FOLDER] or _SEVERAL


def write_rejects(path: Path, rejects: pd.DataFrame) -> None:
    """Write rejected rows as CSV (UTF-8 with a byte order mark, mode 600), with the columns REJECT_COLUMNS."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(REJECT_COLUMNS)
    writer.writerows(escape_frame(rejects[list(REJECT_COLUMNS)]).itertuples(index=False, name=None))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_text(path, "\ufeff" + text.getvalue(), mode=0o600)


def group_rejects(rejects: pd.DataFrame, kind: str, messages: Mapping[str, Message]) -> list[dict[str, Any]]:
    """Return why rows were rejected: one entry for each column, value and reason, the most frequent first.

    Each has `column`, `value`, `reason`, `allowed`, `rows` (how many) and `lines` (the first five). A value is given
    only if at least three rows share it, if it is in a column of places (nobody could correct the place without it), or
    if it is an unsure word of our tables. Otherwise it is empty. `messages` maps the text of each reason to its
    message, because a table holds only texts.
    """
    if rejects.empty:
        return []
    shared = rejects.groupby(["column", "reason", "value"])["line"].transform("size") >= _SHARED
    places = [column.name for column in get_kind(kind).file_columns if column.type == "area"]
    harmless = rejects["column"].isin(places) | (rejects["reason"] == UNSURE_WORD)
    values = rejects["value"].where(shared | harmless, "")
    groups = rejects.assign(value=values).groupby(["column", "value", "reason", "allowed"], sort=False)["line"]
    reasons = [
        {
            **dict(zip(("column", "value", "reason", "allowed"), key, strict=True)),
            "reason": messages[str(key[2])],
            "rows": len(lines),
            "lines": lines.head(_LINES).tolist(),
        }
        for key, lines in groups
    ]
    return sorted(reasons, key=lambda reason: -reason["rows"])


def build_rejects(kind: RecordKind, table: RawTable, layout: Layout, rows: Rows) -> pd.DataFrame:
    """Return one row per fault, sorted by line, with the columns REJECT_COLUMNS.

    The record's number is included only if it looks like one, and the wrong value only if it cannot be
    personal; nothing else of the file is repeated.
    """
    parts = [
        pd.DataFrame({"line": lines, "column": column, "reason": reason, "allowed": allowed})
        for lines, column, reason, allowed in rows.faults
    ]
    parts.append(pd.DataFrame([vars(fault) for fault in table.faults], columns=[f.name for f in fields(Fault)]))
    filled = [part for part in parts if len(part)] or parts[-1:]
    frame = pd.concat(filled, ignore_index=True).astype({"line": "int64"})
    frame = frame.sort_values("line", kind="stable", ignore_index=True)
    frame.insert(1, "record_number", _record_numbers(rows, frame["line"]))
    frame.insert(3, "value", _repeat_values(kind, table, layout, frame))
    return frame


@dataclass(frozen=True)
class Respelled:
    """A word that was read as an area with a similar sound, and the number of accepted rows that have it.

    column : the column of places. code : the code of the area. The word is empty if it may be personal.
    """

    column: str
    word: str
    code: str
    rows: int


def list_respelled(kind: RecordKind, table: RawTable, layout: Layout, rows: Rows) -> list[Respelled]:
    """Return the words in accepted rows that were read as an area with a similar sound, the most frequent first.

    The rule for rejected rows holds here too: a word that may be personal is left empty.
    """
    if not any(rows.respelled.values()):
        return []
    repeater, good = Repeater.from_table(kind, table, layout), rows.good()
    counts: Counter[tuple[str, str, str]] = Counter()
    for column, texts in rows.respelled.items():
        cells = rows.cells[column]
        numbers = np.bincount(cells.codes[good], minlength=len(cells.distinct))
        for code, text in texts.items():
            word = repeater.repeat(column, text, alone=True)
            counts[column, word, str(cells.distinct[code])] += int(numbers[code])
    return [Respelled(*key, number) for key, number in counts.most_common() if number]


def _repeat_values(kind: RecordKind, table: RawTable, layout: Layout, rejects: pd.DataFrame) -> list[str]:
    """Return the content of each faulty cell, or "" if it may not be repeated."""
    if rejects.empty:
        return []
    repeater = Repeater.from_table(kind, table, layout)
    alone = ~rejects["line"].duplicated(keep=False)
    rows = np.searchsorted(table.lines, rejects["line"])
    repeated: dict[tuple[str, int, bool], str] = {}
    values = []
    for column, row, only in zip(rejects["column"], rows.tolist(), alone, strict=True):
        if column not in layout.columns:
            values.append("")
            continue
        raw = table.columns[layout.columns[column]]
        cell = (column, int(raw.codes[row]), bool(only))
        if cell not in repeated:
            repeated[cell] = repeater.repeat(column, raw.distinct[cell[1]], alone=only)
        values.append(repeated[cell])
    return values


def _record_numbers(rows: Rows, lines: pd.Series) -> list[str]:
    """Return the record number of each rejected line; empty if it may be a name or remark, or the row was not read."""
    if "record_number" not in rows.cells or not len(rows):
        return [""] * len(lines)
    positions = np.searchsorted(rows.lines, lines).clip(max=len(rows) - 1)
    numbers = map(str, rows.cells["record_number"].take(positions))
    is_read = rows.lines[positions] == lines.to_numpy()
    return [n if k and _RECORD_NUMBER.fullmatch(n) else "" for n, k in zip(numbers, is_read, strict=True)]


@dataclass(frozen=True)
class Repeater:
    """The rule for what may be repeated from one file; `words` are the words of columns that are never repeated.

    If the kind is not about children, `words` is empty.
    """

    kind: RecordKind
    words: frozenset[str]

    @classmethod
    def from_table(cls, kind: RecordKind, table: RawTable, layout: Layout) -> Repeater:
        """Build the rule from the words of identifiers, codes, free texts and unknown columns."""
        ours = {position: kind.column(name) for name, position in layout.columns.items()}
        columns = [raw.distinct for p, raw in enumerate(table.columns) if p not in ours or is_private(ours[p])]
        return cls(kind, frozenset(_words_of(columns)) if kind.of_children else frozenset())

    def repeat(self, column: str, text: str, *, alone: bool) -> str:
        """Return the content of a cell if a reject may repeat it, else the empty text.

        `alone`: nothing else is wrong in its row.
        """
        definition, text = self.kind.column(column), " ".join(text.split())
        if not text or (len(text) > LONGEST and not is_place(text)) or is_private(definition):
            return ""
        if definition.numeric:
            return text if _NUMBER.fullmatch(text) and sum(map(str.isdigit, text)) <= _DIGITS else ""
        if definition.type in ("category", "area"):
            if is_personal_in(definition, text):
                return ""
            return text if self._may_show(definition, text, alone=alone) else ""
        match = (_PERIOD if definition.type == "period" else _DAY).fullmatch(text)
        year = next(filter(None, match.groups()), "") if match else ""
        return text if year and year >= definition.earliest[:4] else ""

    def _may_show(self, column: Column, text: str, *, alone: bool) -> bool:
        keys = [*map(make_key, column.allowed), *map(make_key, column.allowed.values())]
        if look_up(index_unsure(column.name), text):
            return True
        if not self.kind.of_children or make_key(text) in keys:
            return bool(_WORDS.fullmatch(text)) or make_key(text) in keys
        if alone and column.type == "area" and is_place(text):
            return True
        if not alone or not _WORD.fullmatch(text) or fold(text) in self.words:
            return False
        if column.type == "area" or text.islower():
            return True
        return bool(difflib.get_close_matches(make_key(text), keys, 1, cutoff=_NEAR))


def is_private(column: Column) -> bool:
    """Return whether no list of rejects may repeat a cell of a column: it has identifiers, hashes, texts or codes."""
    return column.type in ("identifier", "hash", "text", "code")


def _words_of(columns: Iterable[Collection[str]]) -> Iterator[str]:
    for texts in columns:
        for text in texts:
            yield from map(fold, _WORD.findall(text))
