"""Bring a partner's table into our shape: only rows that are records, and one column for each of our columns.

Rows of totals, headings repeated further down, and rows that the mapping skips are left out, with a note. A row with
one filled cell is a remark and is rejected, and so is one that is marked as cancelled. Several columns become one,
columns with a tick for each answer become one column of answers, and constants and defaults are filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from data.message import Message, count_more
from data.personal.headings import plain_heading
from data.restricted.intake.cancelled import CANCELLED, TEST, find_cancelled, find_tests
from data.restricted.intake.checks import combinations
from data.restricted.intake.headings import UNSURE, Layout, match_headings
from data.restricted.intake.likely_columns import find_count_columns
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.table import Fault, RawColumn, RawTable, is_total
from data.restricted.intake.values import BOTH, is_age, is_ticked, list_spellings
from data.schema import words
from data.schema.column import Column, RecordKind
from data.workspace.folding import fold, make_key

_Mask = npt.NDArray[np.bool_]
_EMPTY = frozenset(
    ["", *["0", "0.0", "false", "no", "n", "jo", "όχι", "οχι", "oxi", "ochi", "-", "–", "—", "✗", "✘", "☐"]]
)
_MOST_MARKS, _LONGEST_MARK = 4, 12  # different marks that are not known, and the letters of one
_MOST_CATEGORIES = 40  # different words of a column of categories
_LEAST_COLUMNS = 3  # In a narrower table, a row with one cell may be a record that lacks the others.
_NAMED = 6  # lines in a note
_ROW_EACH = "a row for each child; if the column counts something else, give it another heading"
_DIFFER = "differ"
ONE_CELL = (Message("only one cell of the row is filled"), "a record, or an empty row")


def shape_table(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping
) -> tuple[RawTable, Layout, list[str]]:
    """Return the table and its layout with one column for each of our columns, and notes on what was left out.

    `further` and `ticks` of the new layout are empty.
    """
    table, notes = _drop_rows(kind, table, layout, mapping)
    columns, places = list(table.columns), dict(layout.columns)

    def place(ours: str, codes: npt.NDArray[np.int64], distinct: list[str]) -> None:
        places[ours] = len(columns)
        columns.append(RawColumn(ours, codes.astype(np.int32), distinct))

    for ours in [*layout.further, *layout.ticks]:
        parts = [table.columns[position] for position in layout.positions_of(ours)]
        place(ours, *_combine(parts, _choose_join(kind, ours, layout)))
    for ours, text in mapping.constants.items():
        if ours in places:
            if ours != "partner":  # it says whose mapping it is; rows of another partner are rejected
                notes.append(
                    Message(
                        "The file has a column for {ours}: it is read, and not the one value of the mapping.", ours=ours
                    )
                )
            continue
        place(ours, np.zeros(len(table.lines), dtype=np.int64), [text])
    for ours, text in mapping.defaults.items():
        if ours in places:
            raw = columns[places[ours]]
            columns[places[ours]] = replace(raw, distinct=[cell if cell.strip() else text for cell in raw.distinct])
    for column in kind.file_columns:
        if table.begin.shift and column.name in places and column.type in ("date", "day_or_week"):
            raw = columns[places[column.name]]
            columns[places[column.name]] = replace(
                raw, distinct=[_shift(text, table.begin.shift) for text in raw.distinct]
            )
    shaped = replace(layout, columns=places, further={}, ticks={})
    return replace(table, columns=columns), shaped, notes


def _choose_join(kind: RecordKind, ours: str, layout: Layout) -> Callable[[Sequence[str]], str]:
    if ours in layout.ticks:
        return partial(_join_ticks, list(layout.ticks[ours].values()))
    if ours == "age_band":
        return _join_ages
    is_day = kind.column(ours).type in ("date", "day_or_week")
    return _join_day if is_day and len(layout.further[ours]) == 2 else _first_filled


def match_table(kind: RecordKind, table: RawTable, mapping: ColumnMapping) -> Layout:
    """Match the headings of a table to the columns of a kind, with a look at its cells; see `match_headings`."""
    counts = {fold(table.columns[p].heading) for p in find_count_columns(table, range(len(table.columns)))}
    if not counts.isdisjoint(map(fold, mapping.headings_of("child_id"))):  # an answer that an earlier version took
        mapping = replace(mapping, columns={ours: name for ours, name in mapping.columns.items() if ours != "child_id"})

    def hold_marks(positions: Iterable[int]) -> bool:
        cells = {fold(text) for position in positions for text in table.columns[position].distinct}
        others = {cell for cell in cells - _EMPTY if not is_ticked(cell)}
        return len(others) <= _MOST_MARKS and all(map(_may_be_mark, others))

    layout = match_headings(kind, table.begin.headings, mapping, hold_marks)
    _doubt_other_words(kind, table, layout, mapping)
    return layout


def _doubt_other_words(kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping) -> None:
    """Make a column a doubt if its cells have no word of its own, and mostly words of a column that the file lacks."""
    plain = [
        c for c in kind.file_columns if c.type == "category" and not (c.derived or c.later or c.name == "age_band")
    ]
    spellings = {column.name: list_spellings(column.name, tuple(column.allowed.items())) for column in plain}
    stated = {*layout.mapped, *mapping.constants, *mapping.ignore}
    lacking = [column.name for column in plain if column.name not in {*layout.list_found(), *stated}]
    for column in plain:
        name = column.name
        if name in stated or name not in layout.columns or name in {*layout.further, *layout.ticks}:
            continue
        position = layout.columns[name]
        keys = {fold(text) for text in table.columns[position].distinct if re.search(r"[^\W\d_]{3}", text)}
        if len(keys) > _MOST_CATEGORIES or any(words.look_up(spellings[name], key) for key in keys):
            continue
        known = {ours: sum(words.look_up(spellings[ours], key) is not None for key in keys) for ours in lacking}
        best = max(known, key=known.__getitem__, default="")
        if best and 2 * known[best] > len(keys):
            del layout.columns[name]
            layout.unknown.append(position)
            layout.doubts.setdefault(best, {})[position] = UNSURE


def _may_be_mark(text: str) -> bool:
    return len(text) <= _LONGEST_MARK and (text.isdigit() or not any(map(str.isdigit, text)))


def _join_ticks(codes: Sequence[str], cells: Sequence[str]) -> str:
    """Return the answers with a mark of yes; a mark that is not known stands behind its answer, and is asked about.

    Without a blank between them they are one answer (`find_unknown_part`).
    """
    marks = [(code, cell.strip()) for code, cell in zip(codes, cells, strict=True) if fold(cell) not in _EMPTY]
    return ";".join(
        dict.fromkeys(code if is_ticked(mark) else f"{code}_marked_{mark.replace(' ', '_')}" for code, mark in marks)
    )


def _shift(text: str, days: int) -> str:
    """Return a day number as Excel counts from 1900; any other text is unchanged."""
    match = re.fullmatch(r"(\d{5})(?:[.,]\d+)?", text.strip())
    return str(int(match[1]) + days) if match else text


def _first_filled(cells: Sequence[str]) -> str:
    return next((cell for cell in cells if cell.strip()), "")


def _join_ages(cells: Sequence[str]) -> str:
    """Return the first filled cell; ages and years of birth that are all readable stay together, to be compared."""
    filled = list(dict.fromkeys(cell.strip() for cell in cells if cell.strip()))
    return BOTH.join(filled) if all(is_age(cell) for cell in filled) else _first_filled(cells)


def _join_day(cells: Sequence[str]) -> str:
    """Return the day, month and year in three cells as one text; the month may be a word."""
    day, month, year = (cell.strip() for cell in cells)
    if not (day or month or year):
        return ""
    return f"{day}.{month}.{year}" if month.isdigit() else f"{day} {month} {year}"


def _combine(
    parts: Sequence[RawColumn], join: Callable[[Sequence[str]], str]
) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return the codes, (n,), and texts of one column in place of several; each combination is joined only once."""
    numbers, first = combinations(*(part.codes.astype(np.int64) for part in parts))
    rows = zip(*([part.distinct[code] for code in part.codes[first].tolist()] for part in parts), strict=True)
    texts = [join(row) for row in rows]
    index = {text: n for n, text in enumerate(dict.fromkeys(texts))}
    new = np.array([index[text] for text in texts], dtype=np.int64)
    return (new[numbers] if len(texts) else numbers), list(index)


def name_first(lines: npt.NDArray[np.int64]) -> str:
    """Return a text with the first line numbers, and how many more there are."""
    return count_more(", ".join(map(str, lines[:_NAMED].tolist())), len(lines) - _NAMED)


def _drop_rows(kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping) -> tuple[RawTable, list[str]]:
    if not table.columns or not len(table.lines):
        return table, []
    notes: list[str] = []
    totals = _find_totals(table, anywhere=kind.of_children)
    table = replace(table, totals=_list_numbers(table, totals))
    gone = np.zeros(len(table.lines), dtype=bool)
    for mask, why in _list_drops(totals, table, layout, mapping):
        if mask.any():
            lines = table.lines[mask]
            notes.append(Message("Left out, because {why}: line {lines}.", why=why, lines=name_first(lines)))
            gone |= mask
    faults = list(table.faults)
    for rows, reason, allowed in [
        (find_cancelled(kind, table, layout), *CANCELLED),
        (find_tests(kind, table, layout), *TEST),
        *_list_faults(kind, table, layout, mapping),
    ]:
        faults += [Fault(line, "", reason, allowed) for line in table.lines[rows & ~gone].tolist()]
        gone |= rows
    if len(layout.list_found()) >= _LEAST_COLUMNS:
        # The filled cells of each row, at most two.
        filled = np.zeros(len(table.lines), dtype=np.int8)
        for column in table.columns:
            filled = np.minimum(filled + _where(column, [bool(text.strip()) for text in column.distinct]), 2)
            if filled.min(initial=2) == 2:
                break
        remarks = filled == 1
        faults += [Fault(line, "", *ONE_CELL) for line in table.lines[remarks & ~gone].tolist()]
        gone |= remarks
    if not gone.any():
        return table, notes
    columns = [take_rows(column, ~gone) for column in table.columns]
    return replace(table, columns=columns, lines=table.lines[~gone], faults=faults), notes


def _list_faults(
    kind: RecordKind, table: RawTable, layout: Layout, mapping: ColumnMapping
) -> Iterator[tuple[_Mask, Message, str]]:
    """Yield masks of rows that are rejected, each with the reason and what is allowed."""
    # A submission may say how many children its repeats have.
    width = len(table.begin.repeat[0].headings) if table.begin.repeat else len(table.columns)
    for position in find_count_columns(table, layout.unknown) if kind.of_children else []:
        if position >= width:
            continue
        raw = table.columns[position]
        several = [any(int(number) > 1 for number in re.findall(r"\d{1,9}", text)) for text in raw.distinct]
        heading = plain_heading(raw.heading, position)
        reason = Message("the row counts several children ({heading})", heading=heading)
        yield _where(raw, several), reason, _ROW_EACH
    for ours, codes in layout.beside.items():
        if ours in layout.columns:
            parts = [table.columns[position] for position in (layout.columns[ours], *codes)]
            names = mapping.value_names.get(ours, {})
            numbers, texts = _combine(parts, partial(_compare, kind.column(ours), list(codes.values()), names))
            reason = Message("the column with all answers to {column} and those of single answers differ", column=ours)
            yield np.array([text == _DIFFER for text in texts], dtype=bool)[numbers], reason, "the same answers in both"


def _compare(column: Column, codes: Sequence[str], names: Mapping[str, str], cells: Sequence[str]) -> str:
    """Return whether a cell with all answers has the answers that are marked in the other cells; "" if unknown."""
    ticked = set(filter(None, _join_ticks(codes, cells[1:]).split(";")))
    known, theirs = list_spellings(column.name, tuple(column.allowed.items())), {fold(k): c for k, c in names.items()}
    for parts in ([cells[0]], re.split(r"\s*[;,/|+&]\s*", cells[0]), cells[0].split()):
        answers = {theirs.get(fold(part)) or words.look_up(known, part) for part in parts if part.strip()}
        if None not in answers and any(cell.strip() for cell in cells[1:]):
            return _DIFFER if answers & {*codes} != ticked else ""
    return ""


def _list_drops(
    totals: _Mask, table: RawTable, layout: Layout, mapping: ColumnMapping
) -> Iterator[tuple[_Mask, Message]]:
    """Yield masks of rows that are not records, each with the reason; `totals` is that of the rows of totals."""
    yield totals, Message("it holds totals")
    repeated = np.ones(len(table.lines), dtype=bool)
    for position in layout.columns.values():
        column = table.columns[position]
        repeated &= _where(column, [" ".join(text.split()) == column.heading for text in column.distinct])
    if len(layout.columns) > 1:
        yield repeated, Message("it repeats the headings")
    skips = {fold(heading): {make_key(text) for text in texts} for heading, texts in mapping.skip.items()}
    for column in table.columns:
        if skipped := skips.get(fold(column.heading)):
            yield (
                _where(column, [make_key(text) in skipped for text in column.distinct]),
                Message("the mapping skips such rows"),
            )


def _find_totals(table: RawTable, *, anywhere: bool) -> _Mask:
    """Return a mask of the rows whose first filled cell, or any if `anywhere`, is a word for totals, shape (n,)."""
    mask = np.zeros(len(table.lines), dtype=bool)
    before = np.zeros(len(table.lines), dtype=bool)
    for column in table.columns:
        total = [text[:1].isalpha() and is_total([text]) for text in column.distinct]
        if any(total):
            mask |= _where(column, total) & (~before | anywhere)
        before |= _where(column, [bool(text.strip()) for text in column.distinct])
        if before.all() and not anywhere:
            break
    return mask


def _list_numbers(table: RawTable, rows: _Mask) -> tuple[int, ...]:
    """Return the whole numbers in the cells of some rows, alone or in a text, as in "Total: 12 children"."""
    texts = [column.distinct[code] for column in table.columns for code in column.codes[rows].tolist()]
    numbers = [re.fullmatch(r"\D*?(\d{1,9})(?:[.,]0+)?\D*", text.strip()) for text in texts]
    return tuple(dict.fromkeys(int(match[1]) for match in numbers if match))


def take_rows(column: RawColumn, mask: _Mask) -> RawColumn:
    """Return a column with only the rows of a mask, and only the texts of these rows."""
    codes = column.codes[mask]
    used = np.zeros(len(column.distinct), dtype=bool)
    used[codes] = True
    numbers = np.cumsum(used, dtype=np.int32) - 1
    return RawColumn(
        column.heading, numbers[codes], [text for text, keep in zip(column.distinct, used, strict=True) if keep]
    )


def _where(column: RawColumn, of_distinct: list[bool]) -> _Mask:
    return np.array(of_distinct, dtype=bool)[column.codes] if of_distinct else np.zeros(len(column.codes), dtype=bool)
