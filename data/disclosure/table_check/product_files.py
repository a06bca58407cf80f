"""Recognising a table that the product itself wrote: it tells what its release tells, notes and settings included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from data.disclosure.table_check.reading import Sheet, format_cell
from data.release import Release

# Returns the tables with some headings that the files of a release hold.
ListTables = Callable[[Release, Sequence[str]], Iterable[pd.DataFrame]]
_YES_NO = {"True": "1", "False": "0"}  # as a workbook stores them


def find_release(sheet: Sheet, releases: Sequence[Release], list_tables: ListTables) -> Release | None:
    """Return the first release in whose files a sheet is, whole or in part; None if any row is in none.

    Rows must be those of one release, so that no two draws of a number are passed on as the product's own. That holds
    for rows of words too: a name may stand in them.
    """
    rows = set(_format_rows(sheet.cells))
    for release in releases:
        for table in list_tables(release, tuple(map(str, sheet.cells.columns))):
            if rows <= set(_format_rows(table)):
                return release
    return None


def _format_rows(table: pd.DataFrame) -> Iterable[tuple[str, ...]]:
    """Return the rows of a table as texts that are the same in CSV, in a workbook and in memory."""
    columns = []
    for place in range(table.shape[1]):
        codes, known = pd.factorize(table.iloc[:, place])
        texts = [*map(_format_text, known), ""]  # the last where the code is -1: missing
        columns.append([texts[code] for code in codes])
    return zip(*columns, strict=True)


def _format_text(value: object) -> str:
    text = format_cell(value).lstrip("'")
    try:
        return f"{float(text):.10g}"
    except ValueError:
        return _YES_NO.get(text, text)
