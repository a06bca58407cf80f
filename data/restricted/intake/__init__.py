"""Read partner files, check their rows, and reject rows or whole files.

A row that fails is listed with its line, its column, what is wrong and what is allowed; the other rows are
imported. Nothing is guessed. A file with names, dates of birth, phone numbers, coordinates or other
personal data of children is refused. No message or exception contains the content of a cell, and a reject
contains only the record's number and what data/restricted/intake/rejects.py allows.

    intake = read_file(path, "encounter", resolve=places.resolve, hash_identifier=hasher.hash)
    with vault.importing(intake.kind, path, intake.partner or "") as records:
        for batch in intake.batches():
            records.add(batch)
    write_rejects(rejects_path, intake.rejects)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from data.errors import FileRefused
from data.message import Message, join_messages
from data.personal.headings import list_headings, plain_heading
from data.restricted.intake.age_days import add_units, name_bands
from data.restricted.intake.checks import Cells, Rows, check_rows
from data.restricted.intake.children_beside import merge_children, split_children
from data.restricted.intake.csv_rows import read_grids, read_table
from data.restricted.intake.headings import TELLING, Layout, match_headings
from data.restricted.intake.identity import (
    BY_NUMBER,
    Crowd,
    FindStored,
    Identified,
    Rejected,
    Restarts,
    child_names,
    hash_children,
    hash_codes,
    identify,
    note_near_codes,
    note_point_zero,
    note_programme_numbers,
    note_row_numbers,
    note_shown_zeros,
    note_spellings,
    spell_names,
    split_name,
)
from data.restricted.intake.local_days import read_local_days
from data.restricted.intake.mapping import ColumnMapping, Slashes
from data.restricted.intake.mapping import check as check_mapping
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.missing_columns import list_missing, refuse_missing
from data.restricted.intake.outline import Outline, draw_outline
from data.restricted.intake.parts import sum_parts
from data.restricted.intake.plain_cells import read_plain_cells
from data.restricted.intake.refuse_personal import refuse_personal_content, refuse_personal_headings
from data.restricted.intake.rejects import REJECT_COLUMNS, Respelled, build_rejects, list_respelled, write_rejects
from data.restricted.intake.shape import match_table, name_first, shape_table
from data.restricted.intake.sheets import find_start, list_tables
from data.restricted.intake.start import Grid, Start, check_choice
from data.restricted.intake.surroundings import list_area_columns, name_pairs
from data.restricted.intake.table import RawTable
from data.restricted.intake.values import read_day
from data.schema import INVENTED, HashIdentifier, Resolve, conform, get_kind
from data.schema.column import RecordKind
from data.schema.kinds import KINDS
from data.workspace.folding import fold, make_speller
from data.workspace.types import ProgressCount

__all__ = [
    "BY_NUMBER",
    "REJECT_COLUMNS",
    "Intake",
    "child_names",
    "guess_kind",
    "has_children",
    "hash_codes",
    "is_invented",
    "read_file",
    "spell_names",
    "split_name",
    "write_rejects",
]

_BATCH = 100_000
UNSTORED = ("Not read and not stored", "Read to find the place")  # begin the notes on columns that are not ours
_STRANGE_MAPPING = Message(
    "The mapping names headings, and none of them is in this file: it may be the mapping of another partner or of "
    "other files. Headings that are known without it were read."
)
_SAMPLE = 5_000  # distinct days
_Words = tuple[pa.Array, npt.NDArray[np.int32]]


@dataclass(frozen=True)
class Intake:
    """The result of reading a file: accepted records, rejected rows and notes for the person who imports it.

    `rejects` has the columns of REJECT_COLUMNS and one row per fault, sorted by line
    (data/restricted/intake/rejects.py); `reasons` has its reasons as messages. accepted_rows + rejected_rows = rows,
    where parts of an area that were added up are one row. `sheet` is the number of the sheet, 0 for a text file.
    `totals` are the whole numbers in its rows of totals. `crowds` are household numbers with more children than a
    family has. `restarts` says how many record numbers begin again in the file. `slashes` is the order in which days
    such as 5/6/2007 were read. `partners` are the partners that the rows name, and the sender if there is one.
    `unknown_columns` are headings that the product does not know: these columns were checked for personal data and
    otherwise ignored.
    """

    kind: str
    sheet: int
    partner: str | None
    partners: tuple[str, ...] = field(repr=False)
    rows: int
    accepted_rows: int
    rejected_rows: int
    rejects: pd.DataFrame
    reasons: Mapping[str, Message] = field(repr=False)
    unknown_columns: tuple[str, ...]
    notes: tuple[str, ...]
    respelled: tuple[Respelled, ...]
    totals: tuple[int, ...] = field(repr=False)
    crowds: tuple[Crowd, ...] = field(repr=False)
    rejected: Rejected = field(repr=False)
    restarts: Restarts | None
    slashes: Slashes
    outline: Outline = field(repr=False)
    _columns: dict[str, Cells] = field(repr=False)
    _positions: npt.NDArray[np.intp] = field(repr=False)
    _identity: list[bytes] = field(repr=False)
    _content: list[bytes] = field(repr=False)

    def batches(self, rows: int = _BATCH) -> Iterator[pa.RecordBatch]:
        """Yield the accepted records for the vault: canonical columns, then identity and content.

        A batch has at most `rows` records. Text is dictionary<int32, string>, plain string for a column with more than
        100,000 different texts, and "" where missing; numbers are int64 or float64, null where missing; identity and
        content have 16 bytes. Every batch is validated against the kind's schema.
        """
        words = {
            name: _dictionary(cells)
            for name, cells in self._columns.items()
            if not get_kind(self.kind).column(name).numeric
        }
        for start in range(0, self.accepted_rows, rows):
            part = slice(start, start + rows)
            arrays = [self._array(name, self._positions[part], words.get(name)) for name in self._columns]
            conform(_plain_frame(arrays, list(self._columns)), self.kind)
            digests = [pa.array(d[part], pa.binary(16)) for d in (self._identity, self._content)]
            names = [*self._columns, "identity", "content"]
            yield pa.RecordBatch.from_arrays([*arrays, *digests], names)

    def count_outside(self, first: dt.date, last: dt.date) -> int:
        """Return how many accepted records are of a day before `first` or after `last`; 0 if they have no day."""
        if "date" not in self._columns:
            return 0
        days = self._columns["date"]
        outside = np.array([not str(first) <= str(day) <= str(last) for day in days.distinct], dtype=bool)
        return int(outside[days.codes[self._positions]].sum())

    @cached_property
    def accepted(self) -> pd.DataFrame:
        """The accepted records in the schema's columns and dtypes, with identity and content."""
        parts = [_plain_frame(batch.columns, batch.schema.names) for batch in self.batches()]
        if parts:
            return pd.concat(parts, ignore_index=True).astype(_dtypes(self.kind))
        empty = {c.name: pd.Series(dtype=c.dtype) for c in get_kind(self.kind).stored}
        return pd.DataFrame(empty).assign(identity=[], content=[])

    def _array(self, name: str, positions: npt.NDArray[np.intp], words: _Words | None) -> pa.Array:
        cells = self._columns[name]
        if words is None:
            decimal = get_kind(self.kind).column(name).type == "decimal"
            return pa.array(cells.take(positions), pa.float64() if decimal else pa.int64())
        dictionary, numbers = words
        indices = pa.array(numbers[cells.codes[positions]])
        if len(dictionary) > _BATCH:  # A dictionary of values that occur once only needs memory.
            return dictionary.take(indices)
        return pa.DictionaryArray.from_arrays(indices, dictionary)


def read_file(
    path: InputFile,
    kind: str,
    *,
    resolve: Resolve,
    hash_identifier: HashIdentifier,
    mapping: ColumnMapping | None = None,
    partner: str | None = None,
    partners: Collection[str] = frozenset(),
    forgotten: Collection[str] = frozenset(),
    find_stored: FindStored | None = None,
    find_known: FindStored | None = None,
    leave_crowds: bool = False,
    progress: ProgressCount | None = None,
    today: dt.date | None = None,
) -> Intake:
    """Read and check a CSV or Excel file of one record kind; nothing is stored.

    `resolve` finds areas (geo/places/__init__.py), `hash_identifier` replaces identifiers (data/restricted/keys.py).
    `partner` is for rows that do not name a partner. A partner keeps the spelling that it has in `partners`, so that
    its records are recognised when they come again. `find_stored` finds the hashes of children that a vault of an
    earlier version knows, so that a child keeps the hash that it was given; `find_known` finds those of all
    stored children, for a note on codes that are nearly theirs. Rows of children whose hashes are in
    `forgotten` are rejected. With `leave_crowds`, a household number with more children than a family has is left out.
    `progress` is called with the rows done and their total, None if it is not known; an exception that it raises stops
    the reading. `today` is for tests. Raises FileRefused when the whole file is refused, InputError for an
    unknown kind or a mapping that is not valid.
    """
    mapping = mapping or ColumnMapping()
    check_mapping(mapping, kind)
    today = today or dt.date.today()  # noqa: DTZ011 - a day in the officer's own calendar
    table, layout = open_table(path, get_kind(kind), mapping, resolve, partner, progress, today)
    spell = make_speller(partners)
    hash_rows = partial(
        hash_children,
        hash_identifier=hash_identifier,
        forgotten=forgotten,
        find_stored=find_stored,
        leave_crowds=leave_crowds,
    )
    note_near = partial(note_near_codes, hash_identifier=hash_identifier, find_known=find_known)
    return _check_table(table, layout, get_kind(kind), mapping, partner, spell, today, resolve, hash_rows, note_near)


def open_table(
    path: InputFile,
    kind: RecordKind,
    mapping: ColumnMapping,
    resolve: Resolve,
    partner: str | None,
    progress: ProgressCount | None = None,
    today: dt.date | None = None,
    *,
    lenient: bool = False,
) -> tuple[RawTable, Layout]:
    """Read a file's table, refuse personal data, and bring it into our shape; a note says what was left out.

    With `lenient`, required columns may be missing. Raises FileRefused if the file cannot be read, seems to have
    personal data, or lacks a required column.
    """
    table = split_children(kind, read_table(path, partial(find_start, [kind], mapping), progress))
    headings = table.begin.headings
    layout = match_table(kind, table, mapping)
    refuse_personal_headings(path.name, kind, headings, layout)
    if not lenient and len(layout.list_found()) < TELLING:
        # The row may be a record, and a message on personal content names headings.
        refuse_missing(path.name, kind, table.begin, layout, mapping, partner)
    today = today or dt.date.today()  # noqa: DTZ011
    table, on_cells = read_plain_cells(kind, table, layout, mapping)
    with_units = add_units(table, layout, _median_year(table, layout, today) or today.year)
    shaped, of_shaped, notes = shape_table(kind, with_units, layout, mapping)
    shaped, on_days = read_local_days(kind, shaped, of_shaped)
    year = _median_year(shaped, of_shaped, today)
    refuse_personal_content(path.name, kind, table, layout, year)
    if not lenient:
        refuse_missing(path.name, kind, table.begin, layout, mapping, partner)
    shaped = name_bands(shaped, of_shaped, year, today)
    shaped = name_pairs(kind, shaped, of_shaped, mapping, resolve, today)
    strange = [] if layout.mapped or not mapping.columns else [_STRANGE_MAPPING]
    return replace(shaped, notes=[*shaped.notes, *notes, *on_cells, *on_days, *strange]), of_shaped


def is_invented(path: InputFile) -> bool:
    """Return whether a file has a column "invented" (perhaps in a group of a form), which marks invented records.

    Raises FileRefused for a file that cannot be read.
    """
    grids = read_grids(path)
    begins = [table.headings for table in list_tables(KINDS.values(), ColumnMapping(), grids)]
    rows = [*begins, *(grid.rows[0][1] for grid in grids)]
    return any(fold(cell.rpartition("/")[2]) == INVENTED for row in rows for cell in row)


def has_children(path: InputFile) -> bool:
    """Return whether a file has a column of children's codes, as a partner's records have and an export never has."""
    kind = KINDS["encounter"]
    with suppress(FileRefused):
        tables = list_tables([kind], ColumnMapping(), read_grids(path))
        headings = (merge_children(kind, table.headings) for table in tables if table.score >= TELLING)
        layouts = [match_headings(kind, of_table, ColumnMapping()) for of_table in headings]
        return any("child_id" in layout.columns or "programme_number" in layout.columns for layout in layouts)
    return False


def guess_kind(path: InputFile, mappings: Mapping[str, ColumnMapping] | None = None) -> str | None:
    """Return the kind that a file's headings fit best; None if none fits, or two fit equally well.

    The kind with the most columns is returned even if it lacks a required column, so that the message can name that
    column. `mappings` are the mappings of the partner, by kind. Raises FileRefused for a file that cannot be read, and
    if the sheet or row that the mapping of this kind names is not there, or that of any kind if no kind is returned.
    """
    grids = read_grids(path)
    fit, refusals = {}, {}
    for kind in KINDS.values():
        mapping = (mappings or {}).get(kind.name, ColumnMapping())
        try:
            check_choice(mapping, grids)
        except FileRefused as refusal:
            refusals[kind.name] = refusal
            mapping = replace(mapping, sheet="", heading_row=0)
        fit[kind.name] = _fit(kind, grids, mapping)
    best = max(fit.values())
    fitting = [name for name, score in fit.items() if score == best]
    guessed = fitting[0] if best >= 1 and len(fitting) == 1 else None
    if refusals and (guessed is None or guessed in refusals):
        raise refusals.get(guessed or "", next(iter(refusals.values())))
    return guessed


def refuse_unknown_children(path: InputFile) -> None:
    """Raise FileRefused if a file that fits no kind has headings that name personal data, or if it cannot be read."""
    kinds, grids = [kind for kind in KINDS.values() if kind.of_children], read_grids(path)
    tables = list_tables(kinds, ColumnMapping(), grids)
    sheets = [table for table in tables if grids[table.grid].number]
    # Of the versions of a text, the one with the most headings.
    for table in sheets or sorted(tables, key=lambda table: -len(table.headings))[:1]:
        for kind in kinds:
            headings = merge_children(kind, table.headings)
            layout = match_headings(kind, headings, ColumnMapping())
            try:
                refuse_personal_headings(path.name, kind, headings, layout)
            except FileRefused as refusal:
                others = ", ".join(name for name, other in KINDS.items() if not other.of_children)
                way = Message("If it is not about children, say which kind it is with --kind: {kinds}.", kinds=others)
                raise FileRefused(join_messages([refusal.message, way]), refusal.personal) from None


def _fit(kind: RecordKind, grids: Sequence[Grid], mapping: ColumnMapping) -> float:
    """Return how many columns of a kind the best sheet has, plus 0.5 if no required column is missing.

    If one is missing and fewer than TELLING columns are known, the result is 0.
    """
    best = 0.0
    with suppress(FileRefused):
        for table in list_tables([kind], mapping, grids):
            with suppress(FileRefused):
                best = max(best, _rate(kind, table, mapping))
    return best


def _rate(kind: RecordKind, table: Start, mapping: ColumnMapping) -> float:
    columns = match_headings(kind, merge_children(kind, table.headings), mapping).list_found()
    complete = not list_missing(kind, [*columns, *mapping.constants], partner="any")
    return table.score + 0.5 if complete else table.score if table.score >= TELLING else 0.0


def _check_table(
    table: RawTable,
    layout: Layout,
    kind: RecordKind,
    mapping: ColumnMapping,
    partner: str | None,
    spell: Callable[[str], str],
    today: dt.date,
    resolve: Resolve,
    hash_rows: Callable[[Rows], list[Crowd]],
    note_near: Callable[[Rows], list[Message]],
) -> Intake:
    partner = spell(" ".join(partner.split())) if partner else None
    rows, notes = check_rows(kind, table, layout, mapping, resolve=resolve, partner=partner, spell=spell, today=today)
    if kind.name == "figure":
        rows, sums = sum_parts(rows)
        notes += sums
    notes += [*note_point_zero(rows), *note_shown_zeros(table, layout)]
    crowds: list[Crowd] = []
    if "child_id" in rows.cells:
        notes += [*note_row_numbers(rows), *note_spellings(rows), *note_near(rows), *note_programme_numbers(rows)]
        crowds = hash_rows(rows)
    original = match_table(kind, table, mapping)
    outline = draw_outline(kind, table.begin.headings, original, rows, _list_partners(rows, partner))
    return _intake(kind, partner, table, layout, rows, notes, outline, crowds)


def _median_year(table: RawTable, layout: Layout, today: dt.date) -> float | None:
    """Return the median year of (a sample of) the distinct days of the records; None if they have no days."""
    dates = [layout.columns[name] for name in ("date", "valid_from") if name in layout.columns]
    if not dates:
        return None
    texts = table.columns[dates[0]].distinct
    days = (read_day(text, today) for text in texts[:: max(1, len(texts) // _SAMPLE)])
    years = sorted(day.year for day in days if day)
    return float(years[len(years) // 2]) if years else None


def _intake(
    kind: RecordKind,
    partner: str | None,
    table: RawTable,
    layout: Layout,
    rows: Rows,
    notes: list[str],
    outline: Outline,
    crowds: list[Crowd],
) -> Intake:
    identified = identify(rows)
    rejects = build_rejects(kind, table, layout, rows)
    reasons = [*(reason for _, _, reason, _ in rows.faults), *(fault.reason for fault in table.faults)]
    headings = table.begin.headings
    lines = np.sort(np.append(identified.rejected.lines, [fault.line for fault in table.faults]).astype(np.int64))
    return Intake(
        kind=kind.name,
        sheet=table.begin.sheet,
        partner=partner,
        partners=_list_partners(rows, partner),
        rows=len(rows) + len(table.faults),
        accepted_rows=len(identified.positions),
        rejected_rows=int((~rows.good()).sum()) + len(table.faults),
        rejects=rejects,
        reasons={str(reason): reason for reason in reasons},
        unknown_columns=tuple(plain_heading(headings[p], p) for p in layout.unknown),
        notes=(*table.notes, *notes, *_notes(kind, table, layout, rows, identified)),
        respelled=tuple(list_respelled(kind, table, layout, rows)),
        totals=table.totals,
        crowds=tuple(crowds),
        rejected=Rejected(identified.rejected.identity, lines),
        restarts=identified.restarts,
        slashes=rows.slashes,
        outline=outline,
        _columns={column.name: rows.cells[column.name] for column in kind.stored},
        _positions=identified.positions,
        _identity=identified.identity,
        _content=identified.content,
    )


def _list_partners(rows: Rows, partner: str | None) -> tuple[str, ...]:
    named = map(str, rows.cells["partner"].distinct) if "partner" in rows.cells else ()
    return tuple(sorted({*named, partner or ""} - {""}))


def _notes(kind: RecordKind, table: RawTable, layout: Layout, rows: Rows, identified: Identified) -> Iterator[str]:
    """Yield notes on columns and rows that may surprise the person who imports the file."""
    placing = list_area_columns(kind, table, layout)
    if placing:
        yield Message(
            "Read to find the place, but not stored: {columns}.", columns=list_headings(table.begin.headings, placing)
        )
    unread = [position for position in layout.unknown if position not in placing]
    if unread:
        unknown = list_headings(table.begin.headings, unread)
        lacking = [c.name for c in kind.file_columns if c.name not in layout.columns and not c.later]
        parts = [
            Message(
                "Not read and not stored, because kind {kind} does not have them: {columns}.",
                kind=kind.name,
                columns=unknown,
            )
        ]
        if lacking:
            parts.append(
                Message(
                    "If one of them is {columns}, rename it, or translate it in the partner's mapping (--partner NAME "
                    "--mapping FILE).",
                    columns=_either(lacking),
                )
            )
        yield join_messages(parts)
    children = rows.cells["child"].codes if "child" in rows.cells else rows.lines
    all_rows = len(rows) + len(table.faults)
    if kind.of_children and table.totals and not {len(rows), all_rows, len(np.unique(children))} & {*table.totals}:
        yield Message(
            "The row of totals has another number than the file has rows or children. Compare it with the paper."
        )
    if not len(rows) and not table.faults:
        yield Message("The file has column names but no rows.")
    if len(identified.alike):
        numbers = any(column.name == "record_number" for column in kind.file_columns)
        yield Message(
            "The rows in lines {lines} are the same and have no record number: each counts as a record. Only "
            "record_number shows that a row is repeated."
            if numbers
            else "The rows in lines {lines} are the same: each counts as a record. Write each only once.",
            lines=name_first(identified.alike),
        )


def _either(names: list[str]) -> str:
    if not names[1:]:
        return names[0]
    return Message("{first} or {last}", first=", ".join(names[:-1]), last=names[-1])


def _plain_frame(arrays: Iterable[pa.Array], names: list[str]) -> pd.DataFrame:
    decoded = [a.dictionary_decode() if pa.types.is_dictionary(a.type) else a for a in arrays]
    frame: pd.DataFrame = pa.Table.from_arrays(decoded, names).to_pandas()
    return frame


def _dtypes(kind: str) -> dict[str, str]:
    return {column.name: column.dtype for column in get_kind(kind).stored}


def _dictionary(cells: Cells) -> _Words:
    """Return the distinct texts of a column, and for each code the index of its text."""
    numbers: dict[str, int] = {}
    of_code = [numbers.setdefault(str(value), len(numbers)) for value in cells.distinct]
    return pa.array(list(numbers), pa.string()), np.array(of_code, dtype=np.int32)
