"""Read the rows of an XLSX workbook as texts; dates become ISO days, whole numbers lose their ".0"."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING

from data.errors import FileRefused, TactError
from data.message import Message
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.sheets import Area, Rows, describe_sheets, fill_merged, note_hidden, read_rows
from data.restricted.intake.start import ROWS, SINCE_1904, FindStart, Grid, Start
from data.restricted.intake.table import Fault, cross_out
from data.restricted.intake.values import FORMULA_CELL

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.read_only import ReadOnlyCell
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

# The sheets of our own forms that only explain the form to people.
GUIDES = ("How to fill", "Areas")
LISTS = "Lists"  # the hidden sheet of our forms, with the answers to choose from

# Bytes unpacked: a million rows of a template are about half of this. The texts, which are held in memory, are less.
_LARGEST = 400_000_000
_LARGEST_TEXTS = 150_000_000
# Workbooks are five to fifty times as large unpacked as packed. Small ones may be more.
_MOST_TIMES, _SMALL = 100, 20_000_000
_MOST_ROWS = 20_000  # read from a sheet of a form
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref=["\']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})["\']')
_STRUCK = re.compile(rb'<(?:\w+:)?strike(?![^>]*val=["\'](?:0|false))')
_ZEROS = re.compile(rb'formatCode=["\']00+["\']')
_COMMENTS = re.compile(r"(?:^|/)(?:comments|threadedComments)[^/]*$|/(?:comments|threadedComments)/", re.IGNORECASE)
_COMMENT = re.compile(rb'<(?:\w+:)?(?:comment|threadedComment) [^>]*?ref=["\']([A-Z]{1,3}\d{1,7})["\']')
_MIDNIGHT = dt.time()


@contextlib.contextmanager
def rows_of_workbook(
    path: InputFile, find_start: FindStart, notes: list[str], shown_zeros: Counter[str]
) -> Iterator[tuple[Start, Iterator[tuple[int, list[str] | Fault]]]]:
    """Yield where the table begins, and the rows below its headings with their row numbers; add notes on the sheets.

    A formula becomes FORMULA_CELL, because the file may lack the result: it is a fault only in a column that is read.
    `shown_zeros` counts the numbers that show zeros in front by their format alone, by heading. Raises FileRefused for
    a workbook that is empty, damaged or of another format, or that unpacks to far more than a table needs, and as
    `find_start` does.
    """
    with _opened(path) as sheets:
        styles = _read_styles(path)
        used, grids = _first_rows(sheets)
        begin = find_start(grids)
        hidden = sum(sheet.sheet_state != "visible" and sheet.title != LISTS for sheet in used[0].parent.worksheets)
        notes += [
            *describe_sheets(grids, begin),
            *note_hidden(hidden),
            *_note_comments(path, [s.title for s in sheets]),
        ]

        def read_sheet(start: Start) -> Rows:
            rows = _rows(used[start.grid], start, styles, shown_zeros)
            return fill_merged(rows, _list_merged(path, used[start.grid].title), notes)

        yield begin, read_rows(begin, read_sheet, notes)


def read_first_rows(path: InputFile) -> list[Grid]:
    """Return the first rows of each visible sheet that has content, without the guide sheets of our forms.

    A guide sheet is read if the workbook has no other visible sheet. Raises FileRefused for a workbook that is empty or
    cannot be read.
    """
    with _opened(path) as sheets:
        return _first_rows(sheets)[1]


def read_sheets(path: InputFile, names: Collection[str]) -> dict[str, list[list[str]]]:
    """Return the filled rows of the visible sheets with these names, by name; for small workbooks.

    Only the first 20,000 rows of a sheet are read. Raises FileRefused for a workbook that cannot be read.
    """
    rows_by_sheet = {}
    with _opened(path) as sheets:
        for sheet in sheets:
            if sheet.title in names:
                sheet.reset_dimensions()
                rows = ([convert_cell(cell.value) for cell in row] for row in islice(sheet.iter_rows(), _MOST_ROWS))
                rows_by_sheet[sheet.title] = [row for row in rows if any(row)]
    return rows_by_sheet


def _first_rows(sheets: list[ReadOnlyWorksheet]) -> tuple[list[ReadOnlyWorksheet], list[Grid]]:
    """Return the sheets that have content, and their first rows; raise FileRefused if there are none.

    Guide sheets (GUIDES) are left out, unless there is only one sheet.
    """
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    shift = SINCE_1904 if sheets and sheets[0].parent.epoch == CALENDAR_MAC_1904 else 0
    used, grids = [], []
    for number, sheet in enumerate(sheets, start=1):
        rows = [(row, [convert_cell(cell.value) for cell in cells]) for row, cells in enumerate(_head(sheet), start=1)]
        filled = [(row, cells) for row, cells in rows if any(cell.strip() for cell in cells)]
        if filled and (sheet.title not in GUIDES or len(sheets) == 1):
            used.append(sheet)
            grids.append(Grid(filled, sheet.title, number, shift))
    if not used:
        raise FileRefused(Message("The file is empty: the row with the column names is missing."))
    return used, grids


def _head(sheet: ReadOnlyWorksheet) -> Iterator[tuple[ReadOnlyCell, ...]]:
    sheet.reset_dimensions()  # A wrong dimension in the file would cut rows off.
    return islice(sheet.iter_rows(), 2 * ROWS)


@contextlib.contextmanager
def _opened(path: InputFile) -> Iterator[list[ReadOnlyWorksheet]]:
    _refuse_damaged(path)
    # A file object, because with a path openpyxl decides by the ending of the name.
    with path.open("rb") as file:
        try:
            book = _open(file)
            yield [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        except (TactError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - openpyxl raises whatever a damaged part makes it stumble on
            raise _damaged(path) from None


def _open(file: IO[bytes]) -> Workbook:
    import warnings

    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Styles and validations that openpyxl does not know.
        return load_workbook(file, read_only=True, data_only=False)


def _refuse_damaged(path: InputFile) -> None:
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as parts:
            listed = parts.infolist()
            file.seek(0, io.SEEK_END)
            packed = file.tell()
    except (zipfile.BadZipFile, OSError):
        raise _damaged(path) from None
    # No part is read further than to the size that it states, so that none is larger than this.
    size, names = sum(part.file_size for part in listed), {part.filename for part in listed}
    texts = sum(part.file_size for part in listed if part.filename.lower().endswith("sharedstrings.xml"))
    if size > _LARGEST or texts > _LARGEST_TEXTS or size > max(_SMALL, _MOST_TIMES * packed):
        raise FileRefused(
            Message(
                "{file} unpacks to {size:,} bytes, far more than its table needs. Copy the rows into a new workbook, "
                "or save it as CSV, and import that.",
                file=path.name,
                size=size,
            )
        )
    if "xl/workbook.xml" not in names:
        raise FileRefused(
            Message("{file} is not an Excel workbook. CSV and XLSX files can be imported.", file=path.name)
        )


def _damaged(path: InputFile) -> FileRefused:
    return FileRefused(Message("{file} is damaged or incomplete. Save it again as .xlsx or as CSV.", file=path.name))


def _read_styles(path: InputFile) -> bytes:
    with path.open("rb") as file, zipfile.ZipFile(file) as parts:
        return b"".join(parts.read(name) for name in parts.namelist() if name.lower().endswith("styles.xml"))


def _rows(
    sheet: ReadOnlyWorksheet, begin: Start, styles: bytes, shown_zeros: Counter[str]
) -> Iterator[tuple[int, list[str] | Fault]]:
    """Yield the rows below the headings; formats of cells are looked at only if the styles of the workbook matter."""
    width = len(begin.headings)
    has_struck, has_zeros = _STRUCK.search(styles) is not None, _ZEROS.search(styles) is not None
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number <= begin.line:
            continue
        cells = [FORMULA_CELL if cell.data_type == "f" else convert_cell(cell.value) for cell in row]
        # A column of formulas may go on below the last record.
        if not any(cell and cell != FORMULA_CELL for cell in cells):
            continue
        if has_zeros:
            shown_zeros.update(h for h, cell in zip(begin.headings, row, strict=False) if _shows_zeros(cell))
        struck = [n for n, cell in enumerate(row) if cells[n].strip() and cell.font.strike] if has_struck else []
        yield number, cross_out(number, cells + [""] * (width - len(cells)), struck)


def _list_merged(path: InputFile, title: str) -> Iterator[Area]:
    """Yield the merged cells of a sheet, which stand in the file behind all cells.

    A sheet of openpyxl that is read row by row does not have them.
    """
    from openpyxl.utils import range_boundaries

    rest = b""
    with path.open("rb") as file, zipfile.ZipFile(file) as parts, parts.open(_list_parts(path)[title]) as source:
        while block := source.read(1 << 20):
            text = rest + block
            for match in _MERGED.finditer(text):
                left, top, right, bottom = range_boundaries(match[1].decode())
                yield (top, left), (bottom, right)
            rest = text.rpartition(b">")[2]


def _list_parts(path: InputFile) -> dict[str, str]:
    """Return the part of the workbook with each sheet, by the sheet's name."""
    import warnings

    from openpyxl.reader.excel import ExcelReader

    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # As in `_open`.
        book = ExcelReader(file, read_only=True)
        book.read_manifest()
        book.read_workbook()
        return {sheet.name: relation.target for sheet, relation in book.parser.find_sheets()}


def _note_comments(path: InputFile, titles: list[str]) -> list[Message]:
    """Return a note on how many cells of these sheets have comments, which are not read; none if none have."""
    cells = {}
    with path.open("rb") as file, zipfile.ZipFile(file) as parts:
        names, sheets = set(parts.namelist()), _list_parts(path)
        for number, title in enumerate(titles, start=1):
            folder, _, name = sheets[title].rpartition("/")
            links = f"{folder}/_rels/{name}.rels"
            targets = re.findall(rb'Target=["\']([^"\']+)', parts.read(links)) if links in names else ()
            texts = (posixpath.normpath(posixpath.join("/", folder, target.decode()))[1:] for target in targets)
            commented = {
                cell
                for text in texts
                if text in names and _COMMENTS.search(text)
                for cell in _COMMENT.findall(parts.read(text))
            }
            if commented:
                cells[number] = len(commented)
    if not cells:
        return []
    return [
        Message(
            "Comments on cells are not read: {count:,}, on sheet {sheets}. They may correct a value: read them in the "
            "file, and write what counts into the cells.",
            count=sum(cells.values()),
            sheets=", ".join(map(str, cells)),
        )
    ]


def _shows_zeros(cell: ReadOnlyCell) -> bool:
    """Return whether a whole number shows zeros in front by its number format alone, such as 14 as 0014."""
    return (
        isinstance(cell.value, int)
        and not isinstance(cell.value, bool)
        and set(cell.number_format) == {"0"}
        and len(str(cell.value)) < len(cell.number_format)
    )


def convert_cell(value: object) -> str:
    """Return the text of a cell: dates in ISO form, whole numbers without a decimal point, "" for an empty cell.

    A date has its time only if the time is not midnight.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat()
    return str(value)
