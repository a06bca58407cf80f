"""Find the cells with an error (#N/A, #REF!), and the crossed-out ones, in an Excel workbook of the old format (.xls).

The library that reads such a workbook gives an empty cell for an error, and no fonts. The workbook is a compound file
[MS-CFB]: streams that are chains of sectors. Its stream "Workbook" ("Book" before Excel 97) is a row of records
[MS-XLS].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

_HEADER = struct.Struct("<30x2H14xI4x2I4xI4x109I")  # the first 512 bytes of a compound file
_ENTRY = struct.Struct("<64sH50xII4x")  # of the directory: name, bytes of the name, first sector, size
_LAST = 0xFFFFFFFA  # Sectors from here on are marks, such as the end of a chain.
_FORMULA, _SHEET, _BEGIN, _END, _BOOLEAN_OR_ERROR = 0x006, 0x085, 0x809, 0x00A, 0x205
_DATE_MODE, _FONT, _FORMAT, _NUMBERS = 0x022, 0x031, 0x0E0, 0x0BD
_CELLS = {_FORMULA, _BOOLEAN_OR_ERROR, 0x203, 0x204, 0x27E, 0x0D6, 0x0FD}
_IS_STRUCK = 0x08  # in a font
_NO_FONT = 4  # No font has this number.
_NOT_THERE = 0x2A  # the code of #N/A


@dataclass
class Marks:
    """The marked cells of a sheet by the number of their row, from 1: texts of errors, and positions crossed out."""

    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    struck: dict[int, list[int]] = field(default_factory=dict)


def list_marks(content: bytes) -> list[Marks]:
    """Return the marked cells of each sheet in its order. All errors but #N/A are "#VALUE!".

    Raises ValueError, LookupError or struct.error for a file that is damaged.
    """
    stream = _read_workbook(content)
    places = [struct.unpack_from("<I", record)[0] for sort, record in _list_records(stream, 0) if sort == _SHEET]
    formats = _find_struck_formats(stream)
    sheets = []
    for place in places:
        marks = Marks()
        for sort, record in _list_records(stream, place):
            for row, column, error in _find_error(sort, record):
                marks.errors.setdefault(row, {})[column] = error
            for row, column, number in _list_formats(sort, record) if formats else ():
                if number in formats:
                    marks.struck.setdefault(row, []).append(column)
        sheets.append(marks)
    return sheets


def _find_struck_formats(stream: bytes) -> set[int]:
    """Return the numbers of the formats of cells whose font is crossed out."""
    fonts = [record[2] & _IS_STRUCK for sort, record in _list_records(stream, 0) if sort == _FONT]
    fonts[_NO_FONT:_NO_FONT] = [0]
    formats = [struct.unpack_from("<H", record)[0] for sort, record in _list_records(stream, 0) if sort == _FORMAT]
    return {number for number, font in enumerate(formats) if font < len(fonts) and fonts[font]}


def _list_formats(sort: int, record: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the row, from 1, position and number of the format of each cell in a record."""
    if sort == _NUMBERS:
        row, first = struct.unpack_from("<2H", record)
        for n, place in enumerate(range(4, len(record) - 2, 6)):
            yield row + 1, first + n, struct.unpack_from("<H", record, place)[0]
    elif sort in _CELLS:
        row, column, number = struct.unpack_from("<3H", record)
        yield row + 1, column, number


def counts_from_1904(content: bytes) -> bool:
    """Return whether the day numbers of a workbook count from 1904; raise errors as `list_marks` does."""
    return any(sort == _DATE_MODE and record[:1] == b"\1" for sort, record in _list_records(_read_workbook(content), 0))


def _find_error(sort: int, record: bytes) -> list[tuple[int, int, str]]:
    """Return the row, from 1, position and text of a cell with an error, in a list; empty for any other record."""
    if sort == _BOOLEAN_OR_ERROR:
        is_error, code = record[7] == 1, record[6]
    elif sort == _FORMULA:  # The result of a formula; a number does not end in two bytes of ones.
        is_error, code = record[6] == 2 and record[12:14] == b"\xff\xff", record[8]
    else:
        return []
    row, column = struct.unpack_from("<2H", record)
    return [(row + 1, column, "#N/A" if code == _NOT_THERE else "#VALUE!")] if is_error else []


def _list_records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of the part of a workbook that begins here, without those of the charts in it."""
    depth = 0
    while place + 4 <= len(stream):
        sort, size = struct.unpack_from("<2H", stream, place)
        depth += (sort == _BEGIN) - (sort == _END)
        if depth < 1:
            return
        if depth == 1:
            yield sort, stream[place + 4 : place + 4 + size]
        place += 4 + size


def _read_workbook(content: bytes) -> bytes:
    """Return the stream of the workbook in a compound file."""
    shift, small_shift, folder, least, small_table, more, *tables = _HEADER.unpack_from(content)
    size, count = 1 << shift, len(content) >> shift

    def read(sectors: Iterable[int]) -> bytes:
        return b"".join(content[(n + 1) * size : (n + 2) * size] for n in sectors)

    for _ in range(count):
        if more >= _LAST:
            break
        *numbers, more = _unpack(read([more]))
        tables += numbers
    # The table has four bytes for each sector, however often a damaged file names one of its own.
    table = _unpack(read(islice((n for n in tables if n < _LAST), 4 * count // size + 1)))
    entries = {
        name[: max(length - 2, 0)].decode("utf-16-le"): (start, stated)
        for name, length, start, stated in _ENTRY.iter_unpack(read(_follow(folder, table)))
    }
    start, stated = entries["Workbook"] if "Workbook" in entries else entries["Book"]
    if stated >= least:
        return read(_follow(start, table))[:stated]
    # A small stream is stored in the stream of the first entry, in sectors of its own.
    small = read(_follow(entries["Root Entry"][0], table))
    chain = _follow(start, _unpack(read(_follow(small_table, table)))[: len(small) >> small_shift])
    return b"".join(small[n << small_shift : (n + 1) << small_shift] for n in chain)[:stated]


def _unpack(sectors: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(sectors) // 4}I", sectors)


def _follow(sector: int, table: tuple[int, ...]) -> Iterator[int]:
    """Yield the sectors of a chain; raise ValueError if it runs in a circle."""
    for _ in range(len(table) + 1):
        if sector >= _LAST:
            return
        yield sector
        sector = table[sector]
    raise ValueError("the sectors of a stream run in a circle")
