"""Read an archive of CSV files as ODK Central exports a form: its submissions, and a file for each repeat.

Each CSV file of the archive is what a sheet is in a workbook (data/restricted/intake/sheets.py). Other files, such as
pictures, are never opened.
"""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath

from data.errors import FileRefused
from data.message import Message
from data.restricted.intake.delimited_text import LINES, cut_text, rows_of_csv
from data.restricted.intake.memory_file import InputFile
from data.restricted.intake.sheets import Rows, describe_sheets, read_rows
from data.restricted.intake.start import FindStart, Grid, Start
from data.restricted.intake.table import refuse_locked

_LARGEST = 400_000_000  # bytes unpacked


def is_archive_of_tables(path: InputFile) -> bool:
    """Return whether a file is an archive with CSV files."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return bool(_list_names(archive))
    except (zipfile.BadZipFile, OSError):
        return False


@contextlib.contextmanager
def rows_of_workbook(
    path: InputFile,
    find_start: FindStart,
    notes: list[str],
    shown_zeros: Counter[str],  # noqa: ARG001 - a text shows what it has
) -> Iterator[tuple[Start, Rows]]:
    """Yield where the table begins, and the rows below its headings; add notes on the files that were read.

    `shown_zeros` stays empty. Raises FileRefused for an archive that cannot be read, and as `find_start` does.
    """
    with _opened(path) as archive:
        tables = list(_read_tables(archive, path.name))
        begin = find_start([grid for *_, grid in tables])
        notes += describe_sheets([grid for *_, grid in tables], begin)

        def read_sheet(start: Start) -> Rows:
            name, delimiter, _ = tables[start.grid]
            with archive.open(name) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
                yield from rows_of_csv(text, path.name, delimiter, start)

        yield begin, read_rows(begin, read_sheet, notes)


def read_first_rows(path: InputFile) -> list[Grid]:
    """Return the first rows of each CSV file; raise FileRefused for an archive that cannot be read."""
    with _opened(path) as archive:
        return [grid for *_, grid in _read_tables(archive, path.name)]


def _list_names(archive: zipfile.ZipFile) -> list[str]:
    names = (part.filename for part in archive.infolist() if part.filename.lower().endswith(".csv"))
    return sorted(name for name in names if not name.startswith("__MACOSX"))


@contextlib.contextmanager
def _opened(path: InputFile) -> Iterator[zipfile.ZipFile]:
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            tables = [archive.getinfo(name) for name in _list_names(archive)]
            if any(part.flag_bits & 1 for part in tables):
                raise refuse_locked(path.name)
            if sum(part.file_size for part in tables) > _LARGEST:
                raise FileRefused(Message("{file} is too large. Import its files one at a time.", file=path.name))
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise FileRefused(Message("{file} is damaged or incomplete. Export it again.", file=path.name)) from None
    except (UnicodeError, csv.Error):
        raise FileRefused(
            Message("{file} is in an unknown encoding. Save it as CSV in UTF-8, or as .xlsx.", file=path.name)
        ) from None


def _read_tables(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, str, Grid]]:
    """Yield each CSV file that has content: its name, its delimiter, and its first rows."""
    number = 0
    for part in _list_names(archive):
        with archive.open(part) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            lines = list(islice(text, LINES))
        if any(line.strip() for line in lines):
            number += 1
            delimiter, grid = max(cut_text(lines, name), key=lambda cut: len(cut[1].rows[0][1]))
            yield part, delimiter, Grid(grid.rows, PurePosixPath(part).stem, number)
