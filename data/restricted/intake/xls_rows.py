"""Read the rows of an Excel workbook of the old format (.xls) as texts.

A sheet has at most 65,536 rows of 256 cells, and the file has the results of its formulas. So a sheet is read at once.
OpenDocument workbooks are not read, because a small file may claim billions of cells.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from data.errors import FileRefused, TactError
from data.message import Message
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.sheets import Rows, describe_sheets, fill_merged, note_hidden, read_rows
from data.restricted.intake.start import ROWS, SINCE_1904, FindStart, Grid, Start
from data.restricted.intake.table import Fault, cross_out, refuse_locked
from data.restricted.intake.xls_marks import Marks, counts_from_1904, list_marks
from data.restricted.intake.xlsx_rows import LISTS, convert_cell

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook


@contextlib.contextmanager
def rows_of_workbook(
    path: InputFile,
    find_start: FindStart,
    notes: list[str],
    shown_zeros: Counter[str],  # noqa: ARG001 - the library reads no number formats
) -> Iterator[tuple[Start, Iterator[tuple[int, list[str] | Fault]]]]:
    """Yield where the table begins, and the rows below its headings with their row numbers; add notes on the sheets.

    `shown_zeros` stays empty. Raises FileRefused for a workbook that is empty, damaged or
    locked with a password, and as `find_start` does.
    """
    with _opened(path) as book:
        grids = _first_rows(book, path)
        begin = find_start(grids)
        with path.open("rb") as file:
            marks = list_marks(file.read())
        marks_of = dict(zip((sheet.name for sheet in book.sheets_metadata), marks, strict=True))
        hidden = {sheet.name for sheet in book.sheets_metadata} - {*_list_visible(book), LISTS}
        notes += [*describe_sheets(grids, begin), *note_hidden(len(hidden))]

        def read_sheet(start: Start) -> Rows:
            name = grids[start.grid].name
            merged = book.get_sheet_by_name(name).merged_cell_ranges or ()
            areas = (((top + 1, left + 1), (bottom + 1, right + 1)) for (top, left), (bottom, right) in merged)
            return fill_merged(_rows_below(book, name, start, marks_of[name]), areas, notes)

        yield begin, read_rows(begin, read_sheet, notes)


def read_first_rows(path: InputFile) -> list[Grid]:
    """Return the first rows of each visible sheet that has content.

    Raises FileRefused for a workbook that is empty, damaged or locked with a password.
    """
    with _opened(path) as book:
        return _first_rows(book, path)


@contextlib.contextmanager
def _opened(path: InputFile) -> Iterator[CalamineWorkbook]:
    from python_calamine import CalamineWorkbook, PasswordError

    try:
        with path.open("rb") as file:
            yield CalamineWorkbook.from_filelike(file)
    except (TactError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except PasswordError:
        raise refuse_locked(path.name) from None
    except BaseException:  # noqa: BLE001 - a fault inside the library is not an Exception
        raise FileRefused(
            Message("{file} is damaged or incomplete. Save it again as .xlsx or as CSV.", file=path.name)
        ) from None


def _list_visible(book: CalamineWorkbook) -> list[str]:
    """Return the names of the visible sheets."""
    from python_calamine import SheetVisibleEnum

    return [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]


def _first_rows(book: CalamineWorkbook, path: InputFile) -> list[Grid]:
    with path.open("rb") as file:
        shift = SINCE_1904 if counts_from_1904(file.read()) else 0
    grids = []
    for number, name in enumerate(_list_visible(book), start=1):
        head = [(line, cells) for line, cells in islice(_rows(book, name), 2 * ROWS) if any(map(str.strip, cells))]
        if head:
            grids.append(Grid(head, name, number, shift))
    if not grids:
        raise FileRefused(Message("The file is empty: the row with the column names is missing."))
    return grids


def _rows_below(
    book: CalamineWorkbook, sheet: str, start: Start, marks: Marks
) -> Iterator[tuple[int, list[str] | Fault]]:
    width = len(start.headings)
    for number, cells in _rows(book, sheet):
        if number <= start.line:
            continue
        for place, error in marks.errors.get(number, {}).items():
            if place < len(cells):
                cells[place] = error
        if any(cells):
            struck = [place for place in marks.struck.get(number, ()) if place < len(cells) and cells[place].strip()]
            yield number, cross_out(number, cells + [""] * (width - len(cells)), struck)


def _rows(book: CalamineWorkbook, sheet: str) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(book.get_sheet_by_name(sheet).to_python(skip_empty_area=False), start=1):
        yield number, [convert_cell(cell) for cell in row]
