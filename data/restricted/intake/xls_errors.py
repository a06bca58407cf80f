"""Find the cells with an error (#N/A, #REF!) in an Excel workbook of the old format (.xls).

The library that reads such a workbook gives an empty cell for an error. The workbook is a compound file [MS-CFB]:
streams that are chains of sectors. Its stream "Workbook" ("Book" before Excel 97) is a row of records [MS-XLS].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import islice

_HEADER = struct.Struct("<30x2H14xI4x2I4xI4x109I")  # the first 512 bytes of a compound file
_ENTRY = struct.Struct("<64sH50xII4x")  # of the directory: name, bytes of the name, first sector, size
_LAST = 0xFFFFFFFA  # Sectors from here on are marks, such as the end of a chain.
_FORMULA, _SHEET, _BEGIN, _END, _BOOLEAN_OR_ERROR = 0x006, 0x085, 0x809, 0x00A, 0x205
_DATE_MODE = 0x022


def list_errors(content: bytes) -> list[dict[int, list[int]]]:
    """Return the positions of the cells with an error by the number of their row, from 1, for each sheet in its order.

    Raises ValueError, LookupError or struct.error for a file that is damaged.
    """
    stream = _read_workbook(content)
    places = [struct.unpack_from("<I", record)[0] for sort, record in _list_records(stream, 0) if sort == _SHEET]
    sheets: list[dict[int, list[int]]] = []
    for place in places:
        sheets.append({})
        for row, column in (
            cell for sort, record in _list_records(stream, place) for cell in _find_error(sort, record)
        ):
            sheets[-1].setdefault(row, []).append(column)
    return sheets


def counts_from_1904(content: bytes) -> bool:
    """Return whether the day numbers of a workbook count from 1904; raise errors as `list_errors` does."""
    return any(sort == _DATE_MODE and record[:1] == b"\1" for sort, record in _list_records(_read_workbook(content), 0))


def _find_error(sort: int, record: bytes) -> list[tuple[int, int]]:
    """Return the row, from 1, and position of a cell with an error, in a list; empty for any other record."""
    if sort == _BOOLEAN_OR_ERROR:
        is_error = record[7] == 1
    elif sort == _FORMULA:  # The result of a formula; a number does not end in two bytes of ones.
        is_error = record[6] == 2 and record[12:14] == b"\xff\xff"
    else:
        return []
    row, column = struct.unpack_from("<2H", record)
    return [(row + 1, column)] if is_error else []


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
