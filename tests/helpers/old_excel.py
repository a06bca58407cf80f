"""Write a small workbook in the old Excel format (.xls) without a library: an OLE file with one BIFF8 stream."""

import struct
from collections.abc import Collection, Sequence
from pathlib import Path

_SECTOR, _FREE, _END, _FAT = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def write_old_workbook(
    path: Path,
    rows: list[list[object]],
    title: str = "Rastet",
    hidden: Sequence[str] = (),
    *,
    since_1904: bool = False,
    struck: Collection[tuple[int, int]] = (),
) -> Path:
    """Write texts and numbers as one sheet, and return the path; None is an empty cell.

    "#N/A" is a cell with that error, and "=#N/A" a formula with that result.
    hidden : the titles of further sheets, which are hidden and empty. since_1904 : day numbers count from 1904.
    struck : rows and positions, from 0, of the cells that are crossed out.
    """
    stream = _workbook(rows, title, hidden, since_1904, struck)
    stream += b"\0" * (-len(stream) % _SECTOR or 0)
    stream += b"\0" * max(0, 4096 - len(stream))  # A shorter stream would be stored in another part of the file.
    sectors = len(stream) // _SECTOR
    chain = [_FAT, _END, *range(3, sectors + 2), _END]
    fat = struct.pack(f"<{_SECTOR // 4}I", *chain, *[_FREE] * (_SECTOR // 4 - len(chain)))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, _END, 0, _END, 0) + struct.pack("<109I", 0, *[_FREE] * 108)
    folder = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, 2, len(stream))
    path.write_bytes(header + fat + folder + b"\0" * (_SECTOR - len(folder)) + stream)
    return path


def _entry(name: str, sort: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    head = text + b"\0" * (64 - len(text)) + struct.pack("<HBB3I", len(text) + 2, sort, 1, _FREE, _FREE, child)
    return head + b"\0" * 36 + struct.pack("<IQ", start, size)


def _workbook(
    rows: list[list[object]], title: str, hidden: Sequence[str], since_1904: bool, struck: Collection[tuple[int, int]]
) -> bytes:
    first, end = _record(0x809, struct.pack("<4H2I", 0x600, 5, 0, 0, 0, 0)), _record(0x0A)
    first += _record(0x22, b"\1\0") if since_1904 else b""
    # Fonts have the numbers 0 to 3 and 5; the second format of cells has the last one, which is crossed out.
    fonts = [_record(0x31, struct.pack("<7H4B", 200, 8 * (n == 4), 8, 400, 0, 0, 0, 0, 0, 1, 65)) for n in range(5)]
    first += b"".join(fonts) if struck else b""
    first += b"".join(_record(0xE0, struct.pack("<10H", font, *[0] * 9)) for font in (0, 5)) if struck else b""
    sheets = [_BEGIN_SHEET + _write_cells(cells, struck) + end for cells in (rows, *[[]] * len(hidden))]
    names = [name.encode("latin-1") for name in (title, *hidden)]
    place = len(first) + sum(4 + 8 + len(name) for name in names) + len(end)
    bounds = b""
    for number, (name, sheet) in enumerate(zip(names, sheets, strict=True)):
        bounds += _record(0x85, struct.pack("<IHBB", place, min(number, 1), len(name), 0) + name)
        place += len(sheet)
    return first + bounds + end + b"".join(sheets)


def _write_cells(rows: list[list[object]], struck: Collection[tuple[int, int]]) -> bytes:
    content = b""
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            form = int((row, column) in struck)
            if cell == "#N/A":
                content += _record(0x205, struct.pack("<3H2B", row, column, form, 0x2A, 1))
            elif cell == "=#N/A":
                result = bytes([2, 0, 0x2A, 0, 0, 0, 0xFF, 0xFF])
                content += _record(0x006, struct.pack("<3H", row, column, form) + result + b"\0" * 8)
            elif isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                content += _record(0x204, struct.pack("<3H", row, column, form) + text)
            elif cell is not None:
                content += _record(0x203, struct.pack("<3Hd", row, column, form, float(cell)))
    return content


def _record(sort: int, data: bytes = b"") -> bytes:
    return struct.pack("<2H", sort, len(data)) + data


_BEGIN_SHEET = _record(0x809, struct.pack("<4H2I", 0x600, 0x10, 0, 0, 0, 0))
