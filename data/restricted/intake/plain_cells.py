"""Cells as a person reads them: the word of a system for an empty cell (NULL) is empty, and footnote marks go.

A word that is a category of ours, or that the partner's mapping names, stays. In a column of identifiers, NULL
becomes a dash, so that the note on children without a number counts it; #N/A stays an error there, and in other codes:
a lost code would count a child twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from data.message import Message
from data.restricted.intake.headings import Layout
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.table import RawTable
from data.restricted.intake.values import is_blank, list_spellings
from data.schema import words
from data.schema.column import Column, RecordKind
from data.workspace.folding import fold, strip_footnotes

_NOT_THERE = re.compile(r"#(?:N/A|N/D|NV|Δ/Υ)")  # as Excel writes it in some languages


def read_plain_cells(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping
) -> tuple[RawTable, list[Message]]:
    """Return a table, as read, with plain cells in our columns, and a note for each column with footnote marks."""
    columns, notes = list(table.columns), []
    for column in kind.file_columns:
        theirs = {fold(word) for word in mapping.value_names.get(column.name, ())}
        for position in layout.positions_of(column.name):
            raw = columns[position]
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


def _read(column: Column, text: str, theirs: Collection[str]) -> str:
    bare = text.strip()
    if not bare or fold(text) in theirs:
        return text
    is_code = column.type in ("identifier", "code") or column.name == "record_number"
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
