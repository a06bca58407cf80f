"""Cells as a person reads them: the word of a system for an empty cell (NULL) is empty, and footnote marks go.

A word that is a category of ours, or that the partner's mapping names, stays. In a column of identifiers, NULL
becomes a dash, so that the note on children without a number counts it; #N/A stays an error there, and in other codes:
a lost code would count a child twice. A ditto mark (″, -//-, ομοίως) is the cell above.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from data.message import Message
from data.restricted.intake.headings import Layout
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.table import RawColumn, RawTable
from data.restricted.intake.values import PLAIN_CODE, is_blank, list_spellings
from data.schema import words
from data.schema.column import Column, RecordKind
from data.workspace.folding import fold, strip_footnotes
from data.workspace.types import Ints

_DITTO = re.compile(r"""["”“″〃»«]|''|['’′]{2}|-+ ?(?:["”″]|//|'')+ ?-+|//+""")
_DIGIT = re.compile(r"\d")
_UNKNOWN = "#REF!"  # an error of a spreadsheet
_NOT_THERE = re.compile(r"#(?:N/A|N/D|NV|Δ/Υ)")  # as Excel writes it in some languages


def read_plain_cells(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping
) -> tuple[RawTable, list[Message]]:
    """Return a table, as read, with plain cells in our columns, and notes on footnote marks and ditto marks."""
    columns, notes = list(table.columns), []
    failed = np.array([fault.line for fault in table.faults], np.int64)
    for column in kind.file_columns:
        theirs = {fold(word) for word in mapping.value_names.get(column.name, ())}
        for position in layout.positions_of(column.name):
            raw, copies = columns[position], 0
            if column.name != "record_number":
                raw, copies = _copy_above(raw, table.lines, failed)
            if copies:
                notes.append(
                    Message(
                        'In {column}, ditto marks (", -//-, ομοίως) are read as the cell above: {count:,} cells. '
                        "If the file was sorted after it was written, they are wrong: compare them with the paper.",
                        column=column.name,
                        count=copies,
                    )
                )
            plain = [_read(column, text, theirs) for text in raw.distinct]
            columns[position] = replace(raw, distinct=plain)
            marked = [
                n for n, text in enumerate(raw.distinct) if plain[n] and plain[n] == strip_footnotes(text) != text
            ]
            if marked:
                notes.append(
                    Message(
                        "In {column}, footnote marks are left out (11* is read as 11): {count:,} cells. Look whether a "
                        "footnote of the file changes what they mean.",
                        column=column.name,
                        count=int(np.isin(raw.codes, marked).sum()),
                    )
                )
    return replace(table, columns=columns), notes


def _copy_above(raw: RawColumn, lines: Ints, faults: Ints) -> tuple[RawColumn, int]:
    """Return a column in which a ditto mark has the code of the cell above, and how many do.

    lines : of the rows, (n,). faults : lines of the rows that could not be read. Below one of them, and in the first
    row, a mark becomes a cell with an error: nobody knows what it repeats.
    """
    ditto = words.index_codes("ditto")
    bare = ((n, text.strip()) for n, text in enumerate(raw.distinct) if not _DIGIT.search(text))
    marks = [n for n, text in bare if _DITTO.fullmatch(text) or words.look_up(ditto, text)]
    repeats = np.isin(raw.codes, marks)
    if not repeats.any():
        return raw, 0
    begins = np.searchsorted(np.sort(faults), lines)
    unknown = repeats & np.append(True, begins[1:] > begins[:-1])
    row = np.maximum.accumulate(np.where(repeats & ~unknown, 0, np.arange(len(repeats))))
    codes = np.where(unknown, len(raw.distinct), raw.codes)[row]
    count = int((repeats & (codes < len(raw.distinct))).sum())
    texts = [*raw.distinct, _UNKNOWN]
    used, codes = np.unique(codes, return_inverse=True)
    return RawColumn(raw.heading, codes.astype(np.int32), [texts[code] for code in used]), count


def _read(column: Column, text: str, theirs: Collection[str]) -> str:
    is_code = column.type in ("identifier", "code") or column.name == "record_number"
    if is_code and PLAIN_CODE.fullmatch(text):
        return text
    bare = text.strip()
    if not bare or fold(text) in theirs:
        return text
    if _NOT_THERE.fullmatch(bare):
        return text if column.required or is_code else ""
    if is_blank(text):
        if column.type == "identifier":
            return "-"
        known = list_spellings(column.name, tuple(column.allowed.items()))
        return text if words.look_up(known, bare) else ""
    if is_code or column.type == "text":
        return text
    return strip_footnotes(text)
