"""Reading, checking and rejecting partner files.

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
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from data.errors import FileRefused
from data.personal.headings import list_headings, plain_heading
from data.restricted.intake.checks import Cells, Rows, check_rows
from data.restricted.intake.csv_rows import read_headings, read_table
from data.restricted.intake.headings import Layout, choose_sheet, count_recognised, match_headings
from data.restricted.intake.identity import BY_NUMBER, Identified, child_names, hash_children, identify
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.mapping import read as mapping_of
from data.restricted.intake.parts import sum_parts
from data.restricted.intake.refuse_personal import refuse_personal_content, refuse_personal_headings
from data.restricted.intake.rejects import REJECT_COLUMNS, build_rejects, write_rejects
from data.restricted.intake.table import RawTable
from data.schema import INVENTED, HashIdentifier, Resolve, conform, get_kind
from data.schema.column import RecordKind
from data.schema.kinds import KINDS
from data.workspace.folding import fold
from data.workspace.types import ProgressCount

__all__ = [
    "BY_NUMBER",
    "REJECT_COLUMNS",
    "Intake",
    "child_names",
    "guess_kind",
    "is_invented",
    "read_file",
    "write_rejects",
]

_BATCH = 100_000
_NAMED = 6  # lines in a note
_TELLING = 3  # headings of ours, to take a file for one of a kind
_Words = tuple[pa.Array, npt.NDArray[np.int32]]


@dataclass(frozen=True)
class Intake:
    """The result of reading a file: accepted records, rejected rows and notes for the person who imports it.

    `rejects` has the columns of REJECT_COLUMNS and one row per fault, sorted by line
    (data/restricted/intake/rejects.py). accepted_rows + rejected_rows = rows, where parts of an area that were
    added up are one row. `unknown_columns` are headings that the product does not know: they were checked for
    personal data and otherwise ignored.
    """

    kind: str
    partner: str | None
    rows: int
    accepted_rows: int
    rejected_rows: int
    rejects: pd.DataFrame
    unknown_columns: tuple[str, ...]
    notes: tuple[str, ...]
    _columns: dict[str, Cells] = field(repr=False)
    _at: npt.NDArray[np.intp] = field(repr=False)
    _identity: list[bytes] = field(repr=False)
    _content: list[bytes] = field(repr=False)

    def batches(self, rows: int = _BATCH) -> Iterator[pa.RecordBatch]:
        """Yield the accepted records for the vault: canonical columns, then identity and content.

        Text is dictionary<int32, string>, plain string for a column with very many values, and "" where
        missing; numbers are int64 or float64, null where missing; identity and content have 16 bytes. Every
        batch is validated against the kind's schema.
        """
        words = {
            name: _dictionary(cells)
            for name, cells in self._columns.items()
            if not get_kind(self.kind).column(name).numeric
        }
        for start in range(0, self.accepted_rows, rows):
            part = slice(start, start + rows)
            arrays = [self._array(name, self._at[part], words.get(name)) for name in self._columns]
            conform(_plain_frame(arrays, list(self._columns)), self.kind)
            digests = [pa.array(d[part], pa.binary(16)) for d in (self._identity, self._content)]
            names = [*self._columns, "identity", "content"]
            yield pa.RecordBatch.from_arrays([*arrays, *digests], names)

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
        if len(dictionary) > _BATCH:  # A dictionary of numbers that occur once is only a burden.
            return dictionary.take(indices)
        return pa.DictionaryArray.from_arrays(indices, dictionary)


def read_file(
    path: Path,
    kind: str,
    *,
    resolve: Resolve,
    hash_identifier: HashIdentifier,
    mapping: ColumnMapping | None = None,
    partner: str | None = None,
    forgotten: Collection[str] = frozenset(),
    progress: ProgressCount | None = None,
    today: dt.date | None = None,
) -> Intake:
    """Read and check a CSV or XLSX file of one record kind; nothing is stored.

    `resolve` finds areas (geo/places/__init__.py), `hash_identifier` replaces identifiers (data/restricted/keys.py).
    `partner` is for rows that do not name a partner. Rows of children whose hashes are in `forgotten` are rejected.
    `progress` is called with the rows done and their total, None if it is not known; an exception that it raises stops
    the reading. `today` is for tests. Raises FileRefused when the whole file is refused.
    """
    path = Path(path)
    record_kind, mapping = get_kind(kind), mapping or ColumnMapping()
    table = read_table(path, lambda sheets: choose_sheet(record_kind, sheets, mapping), progress)
    settings = _Settings(record_kind, mapping, partner, today, forgotten)
    return _read(path.name, table, settings, resolve, hash_identifier)


def is_invented(path: Path) -> bool:
    """Return whether a file has a column "invented", which marks invented records.

    Raises FileRefused for a file that cannot be read.
    """
    return any(INVENTED in map(fold, headings) for headings in read_headings(Path(path)))


def guess_kind(path: Path, mapping_file: Path | None = None) -> str | None:
    """Return the kind that a file's headings fit best; None if none fits, or two fit equally well.

    If no kind has all the columns it needs, the kind with the most columns is returned, so that the message can name
    the missing column. Raises FileRefused for a file that cannot be read.
    """
    sheets = read_headings(Path(path))
    complete, partial = {}, {}
    for kind in KINDS.values():
        columns = mapping_of(mapping_file, kind.name) if mapping_file else ColumnMapping()
        complete[kind.name] = max((_fit(kind, headings, columns) for headings in sheets), default=0)
        partial[kind.name] = max((count_recognised(kind, headings, columns) for headings in sheets), default=0)
    return _best(complete, least=1) if any(complete.values()) else _best(partial, least=_TELLING)


def _best(fit: dict[str, int], least: int) -> str | None:
    best = max(fit.values())
    fitting = [name for name, count in fit.items() if count == best]
    return fitting[0] if best >= least and len(fitting) == 1 else None


@dataclass(frozen=True)
class _Settings:
    kind: RecordKind
    mapping: ColumnMapping
    partner: str | None
    today: dt.date | None
    forgotten: Collection[str] = frozenset()


def _read(name: str, table: RawTable, settings: _Settings, resolve: Resolve, hash_identifier: HashIdentifier) -> Intake:
    kind = settings.kind
    partner = " ".join(settings.partner.split()) if settings.partner else None
    headings = [column.heading for column in table.columns]
    layout = match_headings(kind, headings, settings.mapping)
    refuse_personal_headings(name, kind, headings, layout)
    _refuse_missing(name, kind, headings, layout, partner)
    refuse_personal_content(name, kind, table, layout)
    rows, notes = check_rows(
        kind,
        table,
        layout,
        settings.mapping,
        resolve=resolve,
        partner=partner,
        today=settings.today or dt.date.today(),  # noqa: DTZ011 - a day in the officer's own calendar
    )
    if kind.name == "figure":
        rows, sums = sum_parts(rows)
        notes += sums
    if "child_id" in rows.cells:
        hash_children(rows, hash_identifier, settings.forgotten)
    return _intake(kind, partner, table, layout, rows, notes)


def _fit(kind: RecordKind, headings: list[str], mapping: ColumnMapping) -> int:
    """Count the headings that match columns of the kind; return 0 if a needed column is missing."""
    try:
        columns = match_headings(kind, headings, mapping).columns
    except FileRefused:
        return 0
    return 0 if _missing(kind, columns, partner="any") else len(columns)


def _missing(kind: RecordKind, columns: Iterable[str], partner: str | None) -> list[str]:
    have = {*columns, *(["partner"] if partner else []), *(["child_id"] if "programme_number" in columns else [])}
    return [c.name for c in kind.given if c.required and c.name not in have]


def _refuse_missing(name: str, kind: RecordKind, headings: list[str], layout: Layout, partner: str | None) -> None:
    missing = _missing(kind, layout.columns, partner)
    if not missing:
        return
    if not layout.columns:
        msg = f"{name}: the first row must contain column names, and none of them is a column of kind "
        msg += f"{kind.name}: {', '.join(c.name for c in kind.given)}."
        raise FileRefused(msg)
    needed = "which is needed" if len(missing) == 1 else "which are needed"
    msg = f"{name} has no column for {', '.join(missing)}, {needed} for kind {kind.name}."
    if missing == ["partner"]:
        raise FileRefused(f"{msg} Add it, or name the partner with the import: --partner NAME")
    if layout.unknown and len(layout.columns) > 2:
        unknown = list_headings(headings, layout.unknown)
        msg += f" It has unknown columns: {unknown}. If one of them is the right one, {_RENAME}."
    raise FileRefused(msg)


def _intake(
    kind: RecordKind, partner: str | None, table: RawTable, layout: Layout, rows: Rows, notes: list[str]
) -> Intake:
    identified = identify(rows)
    rejects = build_rejects(kind, table, layout, rows)
    headings = [column.heading for column in table.columns]
    return Intake(
        kind=kind.name,
        partner=partner,
        rows=len(rows) + len(table.faults),
        accepted_rows=len(identified.at),
        rejected_rows=int((~rows.good()).sum()) + len(table.faults),
        rejects=rejects,
        unknown_columns=tuple(plain_heading(headings[p], p) for p in layout.unknown),
        notes=(*table.notes, *notes, *_notes(kind, table, layout, rows, identified)),
        _columns={column.name: rows.cells[column.name] for column in kind.stored},
        _at=identified.at,
        _identity=identified.identity,
        _content=identified.content,
    )


def _notes(kind: RecordKind, table: RawTable, layout: Layout, rows: Rows, identified: Identified) -> Iterator[str]:
    """Yield notes on columns and rows that may surprise the person who imports the file."""
    if layout.unknown:
        unknown = list_headings([column.heading for column in table.columns], layout.unknown)
        lacking = [column.name for column in kind.given if column.name not in layout.columns]
        hint = f" If one of them is {_either(lacking)}, {_RENAME}." if lacking else ""
        yield f"Not read and not stored, because kind {kind.name} does not have them: {unknown}.{hint}"
    if not len(rows) and not table.faults:
        yield "The file has column names but no rows."
    if len(identified.alike):
        numbers = any(column.name == "record_number" for column in kind.given)
        without = " and have no record number" if numbers else ""
        remedy = "Only record_number shows that a row is repeated" if numbers else "Write each only once"
        lines = _first(identified.alike)
        yield f"The rows in lines {lines} are the same{without}: each counts as a record. {remedy}."


_RENAME = "rename it, or translate it in the partner's mapping (--partner NAME --mapping FILE)"


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def _first(lines: npt.NDArray[np.int64]) -> str:
    listed_lines = ", ".join(map(str, lines[:_NAMED].tolist()))
    return f"{listed_lines} and {len(lines) - _NAMED:,} more" if len(lines) > _NAMED else listed_lines


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
