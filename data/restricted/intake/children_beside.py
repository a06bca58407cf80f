"""Several children beside each other in a row of a form: "Child 1 age", "Child 2 age". Each becomes a row of its own.

The number of a heading is that of a child if a word for a child stands next to it, or if ages or sexes are numbered so.
The first child may have no number: "Age", "Age 2".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from data.message import Message
from data.personal.headings import list_headings
from data.restricted.intake.headings import is_record_id, read_meanings
from data.restricted.intake.shape import take_rows
from data.restricted.intake.table import Codes, Fault, RawColumn, RawTable
from data.schema.column import RecordKind
from data.schema.words import index_codes, look_up
from data.workspace.folding import make_key
from data.workspace.types import Ints

_MOST = 20  # children of one row
_SIGNS = " ._-/:#()[]"
_ONE_CODE = (
    Message("one code of a child stands beside several children"),
    "a code for each child, in columns such as Child 1 code and Child 2 code; or a row for each child",
)


@dataclass(frozen=True)
class _Numbered:
    """A heading without its number, which is 0 if it has none, and whether a word for a child stands next to it."""

    position: int
    rest: str
    number: int
    of_child: bool


def split_children(kind: RecordKind, table: RawTable) -> RawTable:
    """Return a table with a row for each child; what holds for all children of a row is repeated.

    A child without a filled cell has no row. A record number gets the number of the child behind it.
    """
    headings = table.begin.headings
    children = find_children(kind, headings)
    if not children:
        return table
    names = list(dict.fromkeys(name for columns in children for name in columns))
    taken = {position for columns in children for position in columns.values()}
    filled = np.array([_find_filled(table, columns.values()) for columns in children])  # (children, n)
    faults = list(table.faults)
    if all(read_meanings(kind.name, name).keys().isdisjoint(("child_id", "programme_number")) for name in names):
        several = filled.sum(axis=0) > 1
        faults += [Fault(line, "", *_ONE_CODE) for line in table.lines[several].tolist()]
        filled[:, several] = False
        filled[0] |= ~filled.any(axis=0) & ~several
    else:
        filled[0] |= ~filled.any(axis=0)
    rows, numbers = np.nonzero(filled.T)
    columns = []
    for position, column in enumerate(table.columns):
        if position not in taken:
            numbered = is_record_id(kind.name, column.heading)
            texts = [
                [f"{t}-{n}" if t and numbered else t for t in column.distinct] for n in range(1, len(children) + 1)
            ]
            columns.append(_stack(column.heading, [column.codes] * len(children), texts, rows, numbers))
    for name in names:
        parts = [table.columns[of_child[name]] if name in of_child else None for of_child in children]
        codes = [part.codes if part else np.zeros(len(table.lines), np.int32) for part in parts]
        columns.append(_stack(name, codes, [part.distinct if part else [""] for part in parts], rows, numbers))
    note = Message(
        "Several children of one row were read as a row for each: {columns}.",
        columns=list_headings(headings, sorted(taken)),
    )
    begin = replace(table.begin, headings=merge_children(kind, headings))
    return replace(
        table, columns=columns, lines=table.lines[rows], faults=faults, notes=[*table.notes, note], begin=begin
    )


def merge_children(kind: RecordKind, headings: Sequence[str]) -> list[str]:
    """Return the headings that `split_children` gives: first those of the row, then one in place of each child's."""
    children = find_children(kind, headings)
    taken = {position for columns in children for position in columns.values()}
    shared = [heading for position, heading in enumerate(headings) if position not in taken]
    return [*shared, *dict.fromkeys(name for columns in children for name in columns)]


def find_children(kind: RecordKind, headings: Sequence[str]) -> list[dict[str, int]]:
    """Return the columns of each child: positions by heading without its number. Empty for fewer than two children."""
    if not kind.of_children:
        return []
    numbered = [entry for p, heading in enumerate(headings) if (entry := _read_number(p, heading))]
    others, keys = {entry.position for entry in numbered}, {make_key(entry.rest) for entry in numbered}
    first = ((p, heading) for p, heading in enumerate(headings) if p not in others and make_key(heading) in keys)
    groups: dict[str, dict[int, _Numbered]] = {}
    for entry in [*(_Numbered(p, heading, 0, of_child=False) for p, heading in first), *numbered]:
        groups.setdefault(make_key(entry.rest), {}).setdefault(entry.number, entry)
    telling = [group for group in groups.values() if len(group) > 1 and _tells_children(kind, group.values())]
    by_word = any(entry.of_child for group in telling for entry in group.values())
    numbers = sorted({number for group in telling for number in group})
    children: dict[int, dict[str, int]] = {number: {} for number in numbers}
    for group in groups.values():
        of_children = (
            any(e.of_child for e in group.values()) if by_word else len(group) > 1 and group.keys() <= {*numbers}
        )
        for number, entry in group.items() if of_children or group in telling else ():
            children.setdefault(number, {})[next(iter(group.values())).rest] = entry.position
    return [children[number] for number in sorted(children)]


def _read_number(position: int, heading: str) -> _Numbered | None:
    """Return what a heading with one number of a child says; None for any other heading."""
    entries = []
    for match in re.finditer(r"\d+", heading):
        before, after = heading[: match.start()].rstrip(_SIGNS), heading[match.end() :].lstrip(_SIGNS)
        beside = [*re.findall(r"[^\W\d_]+$", before), *re.findall(r"^[^\W\d_]+", after)]
        of_child = any(look_up(index_codes("heading.group"), word) == "child" for word in beside)
        sign = "/" if "/" in heading[len(before) : len(heading) - len(after)] else " "
        rest = f"{before}{sign}{after}".strip(_SIGNS)
        entries.append(_Numbered(position, rest, int(match[0]) if len(match[0]) <= 2 else 0, of_child))
    entries = [entry for entry in entries if entry.of_child] or entries
    return entries[0] if len(entries) == 1 and entries[0].rest and 0 < entries[0].number <= _MOST else None


def _tells_children(kind: RecordKind, group: Iterable[_Numbered]) -> bool:
    entries = list(group)
    meanings = read_meanings(kind.name, entries[0].rest)
    return not meanings.keys().isdisjoint(("sex", "age_band")) or bool(meanings and any(e.of_child for e in entries))


def _find_filled(table: RawTable, positions: Iterable[int]) -> npt.NDArray[np.bool_]:
    """Return which rows have a filled cell in one of the columns, shape (n,)."""
    filled = np.zeros(len(table.lines), dtype=bool)
    for column in (table.columns[position] for position in positions):
        filled |= np.array([bool(text.strip()) for text in column.distinct], dtype=bool)[column.codes]
    return filled


def _stack(
    heading: str, codes: Sequence[Codes], texts: Sequence[Sequence[str]], rows: Ints, numbers: Ints
) -> RawColumn:
    """Return a column with the cell of each row and child; `codes` and `texts` are those of each child's column."""
    index: dict[str, int] = {}
    of_child = [
        np.array([index.setdefault(t, len(index)) for t in part], dtype=np.int32)[c]
        for part, c in zip(texts, codes, strict=True)
    ]
    column = RawColumn(heading, np.array(of_child)[numbers, rows], list(index))
    return take_rows(column, np.ones(len(rows), dtype=bool))
