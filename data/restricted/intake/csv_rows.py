"""Read a partner's table, CSV or Excel, into columns.

A column is a list of its distinct values and an array of codes, which index this list, so that every later step looks
at each distinct text once. CSV rows are read with the csv module; the line number of each row stays right when cells
contain line ends. A row that cannot be read becomes a fault; a file that cannot be read is refused. No message contains
the content of a cell.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from data.errors import FileRefused
from data.message import Message
from data.restricted.intake.delimited_text import DELIMITERS, LINES, cut_text, rows_of_csv
from data.restricted.intake.memory_file import InputFile, MemoryFile
from data.restricted.intake.start import FindStart, Grid, Start
from data.restricted.intake.table import Codes, Fault, RawColumn, RawTable, is_total, refuse_locked
from data.workspace.types import ProgressCount

_T = TypeVar("_T", bound=np.generic)

_CHUNK = 2_000  # Rows that stay in the cache between reading and numbering.
_SAMPLE = 4_096  # bytes
_HIGH, _SIGNS = 0x80, 0xB0  # the first bytes that are not ASCII, and above the signs of Windows
_MOST_BYTES = 1 << 26
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a stream of an OLE file
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_WEB_PAGE = (b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta")
_ZIP = b"PK\x03\x04"


class _Numbering(dict[str, int]):
    """Numbers of distinct texts, in the order in which they first appear."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


def read_table(path: InputFile, find_start: FindStart, progress: ProgressCount | None = None) -> RawTable:
    """Read a CSV or Excel file (.xlsx, .xls); its content decides which of these it is, not its name.

    `find_start` takes the first rows of each visible sheet, or of the text cut at each delimiter, and returns where the
    table begins. `progress` is called with the number of rows read, and about their total (None for a workbook). A file
    in memory keeps its table, which is read again only if the table now begins in another place.

    Raises FileRefused for a file that is empty, damaged, locked with a password or of another format, and as
    `find_start` does.
    """
    if not isinstance(path, MemoryFile):
        return _read_table(path, find_start, progress)
    begin = find_start(read_grids(path))
    if path.table is None or path.table.begin != begin:
        path.table = _read_table(path, lambda _: begin, progress)
    return path.table


def _read_table(path: InputFile, find_start: FindStart, progress: ProgressCount | None) -> RawTable:
    module = _find_reader(path)
    if module:
        notes: list[str] = []
        shown_zeros = Counter[str]()
        with module.rows_of_workbook(path, find_start, notes, shown_zeros) as (begin, rows):
            return replace(_collect(rows, begin, notes, None, progress), shown_zeros=shown_zeros)
    return _read_csv(path, find_start, progress)


def read_grids(path: InputFile) -> list[Grid]:
    """Read only the first rows of each visible sheet, or of a text cut at each delimiter.

    A file in memory keeps these rows. Raises FileRefused for a file that is empty or cannot be read.
    """
    if not isinstance(path, MemoryFile):
        return _read_grids(path)
    if path.grids is None:
        path.grids = _read_grids(path)
    return path.grids


def _read_grids(path: InputFile) -> list[Grid]:
    module = _find_reader(path)
    if module:
        return module.read_first_rows(path)
    with path.open(encoding=_encoding(path)[0], newline="") as file:
        try:
            return [grid for _, grid in cut_text(list(islice(file, LINES)), path.name)]
        except UnicodeError:
            raise FileRefused(Message("{file} cannot be read as a table.", file=path.name)) from None


class _Reader(Protocol):
    """A module that reads workbooks of one format."""

    def rows_of_workbook(
        self, path: InputFile, find_start: FindStart, notes: list[str], shown_zeros: Counter[str]
    ) -> AbstractContextManager[tuple[Start, Iterator[tuple[int, list[str] | Fault]]]]:
        """Yield where the table begins, and the rows below its headings; count zeros that a format alone shows."""

    def read_first_rows(self, path: InputFile) -> list[Grid]:
        """Return the first rows of each visible sheet."""


def _find_reader(path: InputFile) -> _Reader | None:
    """Return the module that reads a workbook or an archive, None for a text."""
    start = _first_bytes(path)
    if start.startswith(_ZIP):
        from data.restricted.intake import xlsx_rows, zip_rows

        return zip_rows if zip_rows.is_archive_of_tables(path) else xlsx_rows
    if start.startswith(_OLD_EXCEL):
        from data.restricted.intake import xls_rows

        return xls_rows
    return None


def _first_bytes(path: InputFile) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(_SAMPLE)
    except OSError as error:
        raise FileRefused(Message("{file} cannot be read: {reason}.", file=path.name, reason=error.strerror)) from None
    if not start:
        raise FileRefused(Message("{file} is empty.", file=path.name))
    _refuse_other_formats(path, start)
    return start[:8]


def _refuse_other_formats(path: InputFile, start: bytes) -> None:
    """Raise FileRefused for a workbook with a password, or a format that is not read here, such as OpenDocument."""
    if start.startswith(_OLD_EXCEL):
        with path.open("rb") as file:
            encrypted = _ENCRYPTED in file.read(_MOST_BYTES)
        if encrypted:
            raise refuse_locked(path.name)
    if start.startswith(_ZIP) and _OPEN_DOCUMENT in start:
        raise FileRefused(Message("{file} is an OpenDocument spreadsheet. Save it as .xlsx or CSV.", file=path.name))
    if start.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(_WEB_PAGE):
        raise FileRefused(
            Message(
                "{file} is a web page or XML, whatever its name says: some systems export tables so. Open it in a "
                "spreadsheet program and save it as .xlsx or CSV.",
                file=path.name,
            )
        )


def _read_csv(path: InputFile, find_start: FindStart, progress: ProgressCount | None) -> RawTable:
    encoding, line_ends, note = _encoding(path)
    notes = [note] if note else []
    with path.open(encoding=encoding, newline="") as file:
        try:
            cuts = cut_text(list(islice(file, LINES)), path.name)
            begin = find_start([grid for _, grid in cuts])
            delimiter = cuts[begin.grid][0]
            if delimiter != ",":
                notes.append(Message("Cells are separated by a {mark}.", mark=DELIMITERS[delimiter]))
            file.seek(0)
            return _collect(rows_of_csv(file, path.name, delimiter, begin), begin, notes, line_ends, progress)
        except UnicodeError:
            raise FileRefused(
                Message("{file} is in an unknown encoding. Save it as CSV in UTF-8, or as .xlsx.", file=path.name)
            ) from None


def _encoding(path: InputFile) -> tuple[str, int, str]:
    """Return the encoding, the number of line ends, and a note ("" for UTF-8).

    The number of line ends is complete only for UTF-8. A file is read as UTF-16 if it has the mark of UTF-16, or if
    many of its bytes are zero and these are all at even or all at odd positions. Any other file that is not UTF-8 is
    read in the code page that `_choose_code_page` names.
    """
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16", 0, Message("The file was read as UTF-16.")
        if order := _find_byte_order(start):
            return order, 0, Message("The file was read as UTF-16.")
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        line_ends = 0
        try:
            while block := file.read(1 << 20):
                line_ends += block.count(b"\n")
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            file.seek(0)
            name, words = _choose_code_page(file.read(1 << 20))
            note = Message("The file is not UTF-8; it was read as {words} ({name}).", words=words, name=name)
            return name, line_ends, note
    return "utf-8-sig", line_ends, ""


def _find_byte_order(start: bytes) -> str:
    """Return the encoding of a UTF-16 text that has no mark; empty for a text that is not UTF-16."""
    first, second = start[0::2].count(0), start[1::2].count(0)
    least = len(start) // 16  # Greek letters have no zero byte; blanks, digits and delimiters have one.
    if second > least and not first:
        return "utf-16-le"
    return "utf-16-be" if first > least and not second else ""


def _choose_code_page(content: bytes) -> tuple[str, Message]:
    """Return the code page of a text that is not Unicode, and its name in words.

    In Greek most bytes above 127 follow another such byte, in Albanian and French not. Of the letters, DOS has most
    where Windows has only signs such as the euro: Greek letters below 0xB0, and ë and ç.
    """
    high = np.frombuffer(content, np.uint8) >= _HIGH
    count, beside = int(high.sum()), int((high[1:] & high[:-1]).sum())
    if beside * 2 > count:
        of_dos = sum(content.count(byte) for byte in range(_HIGH, _SIGNS))
        if 2 * of_dos > count:
            return "cp737", Message("DOS Greek")
        return "cp1253", Message("Windows Greek")
    of_dos = sum(map(content.count, "ëçË".encode("cp852")))
    if 2 * of_dos > count:
        return "cp852", Message("DOS Central European")
    return "cp1252", Message("Windows Western")


def _collect(
    rows: Iterable[tuple[int, list[str] | Fault]],
    begin: Start,
    notes: list[str],
    line_ends: int | None,
    progress: ProgressCount | None,
) -> RawTable:
    """Read all rows in chunks, number the distinct texts of every column, and return the table."""
    stream, header = iter(rows), begin.headings
    width = len(header)
    numbering = [_Numbering() for _ in header]
    codes: list[list[Codes]] = [[] for _ in header]
    starts: list[npt.NDArray[np.int64]] = []
    faults: list[Fault] = []
    rows_read = 0
    while chunk := list(islice(stream, _CHUNK)):
        good, lines = _whole_rows(chunk, width, faults)
        starts.append(np.array(lines, dtype=np.int64))
        for position, cells in enumerate(zip(*good, strict=True)):
            number = numbering[position].__getitem__
            codes[position].append(np.fromiter(map(number, cells), np.int32, len(good)))
        rows_read += len(chunk)
        if progress:
            progress(rows_read, None if line_ends is None else max(line_ends - 1, rows_read))
    columns = [
        RawColumn(heading, _joined(parts, np.int32), list(texts))
        for heading, parts, texts in zip(header, codes, numbering, strict=True)
    ]
    return RawTable(columns, _joined(starts, np.int64), faults, notes, begin)


def _whole_rows(
    chunk: list[tuple[int, list[str] | Fault]], width: int, faults: list[Fault]
) -> tuple[list[list[str]], list[int]]:
    """Return the rows that are not empty, with as many cells as the header, and their lines; add faults to `faults`.

    Empty cells beyond the header are cut off. A shorter row of totals, or with one filled cell, gets empty cells. Any
    other row of another width is a fault.
    """
    good: list[list[str]] = []
    lines: list[int] = []
    for line, row in chunk:
        if isinstance(row, Fault):
            faults.append(row)
        elif len(row) == width and row[0]:
            good.append(row)
            lines.append(line)
        elif _empty(row):
            continue
        elif len(row) >= width and _empty(row[width:]):
            good.append(row[:width])
            lines.append(line)
        elif len(row) < width and (is_total(row) or sum(map(bool, row)) == 1):
            # Left out or rejected later, like other such rows (data/restricted/intake/shape.py).
            good.append([*row, *[""] * (width - len(row))])
            lines.append(line)
        else:
            reason = Message(
                "the row has {count} cells, but the row of headings has {width}", count=len(row), width=width
            )
            faults.append(Fault(line, "", reason, f"{width} cells"))
    return good, lines


def _empty(cells: list[str]) -> bool:
    return not any(cells) or not any(cell.strip() for cell in cells)


def _joined(parts: list[npt.NDArray[_T]], dtype: type[_T]) -> npt.NDArray[_T]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)
