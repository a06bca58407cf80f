"""Rows of an XLSX workbook as texts; dates become ISO days, whole numbers lose their ".0"."""

from __future__ import annotations

import contextlib
import datetime as dt
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from data.errors import FileRefused, TactError
from data.restricted.intake.table import Fault

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

# The sheets of our own forms that are there to be read by people.
GUIDES = ("How to fill", "Areas")

_LARGEST = 2_000_000_000  # Bytes unpacked: a million rows of a template are about a tenth of this.
_MIDNIGHT = dt.time()


def rows_of_workbook(
    path: Path, choose_sheet: Callable[[list[list[str]]], int], notes: list[str]
) -> Iterator[tuple[int, list[str] | Fault]]:
    """Yield the rows of one sheet with their row numbers.

    A row with a formula is a fault, because the file may lack the result. Raises FileRefused for a
    damaged workbook, or one that is larger than two gigabytes when unpacked.
    """
    with _opened(path) as sheets:
        headings = [_first_row(sheet) for sheet in sheets]
        chosen = choose_sheet(headings)
        used = [n for n, sheet in enumerate(sheets) if headings[n] and sheet.title not in GUIDES]
        if len(used) > 1:
            notes.append(f"Only sheet {chosen + 1} of the {len(sheets)} sheets in the file was read.")
        yield from _rows(sheets[chosen])


def first_rows(path: Path) -> list[list[str]]:
    """Return the first row of each visible sheet."""
    with _opened(path) as sheets:
        return [_first_row(sheet) for sheet in sheets]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[list[ReadOnlyWorksheet]]:
    _refuse_damaged(path)
    # A file object, since openpyxl goes by the name's ending otherwise.
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


def _refuse_damaged(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
            names = parts.namelist()
    except (zipfile.BadZipFile, OSError):
        raise _damaged(path) from None
    if size > _LARGEST:
        raise FileRefused(f"{path.name} unpacks to more than {_LARGEST:,} bytes. Save it as CSV and import that.")
    if "xl/workbook.xml" not in names:
        raise FileRefused(f"{path.name} is not an Excel workbook. CSV and XLSX files can be imported.")


def _damaged(path: Path) -> FileRefused:
    return FileRefused(f"{path.name} is damaged or incomplete. Save it again as .xlsx or as CSV.")


def _first_row(sheet: ReadOnlyWorksheet) -> list[str]:
    for row in sheet.iter_rows(max_row=20):
        cells = [_text(cell.value) for cell in row]
        if any(cells):
            return cells
    return []


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[tuple[int, list[str] | Fault]]:
    sheet.reset_dimensions()  # A wrong dimension in the file would cut rows off.
    width = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        types = {cell.data_type for cell in row}
        if types & {"f", "e"}:
            reason = "the row has a formula" if "f" in types else "the row has a cell with an error"
            yield number, Fault(number, "", reason, "values: copy the cells and paste their values")
            continue
        cells = [_text(cell.value) for cell in row]
        if not any(cells):
            continue
        if not width:
            width = _width(cells)
        yield number, cells + [""] * (width - len(cells))


def _width(header: list[str]) -> int:
    return max(position for position, cell in enumerate(header, start=1) if cell)


def _text(value: object) -> str:
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
