"""Recognise a table that the product itself wrote: it reveals only what its release reveals, even in its notes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from data.disclosure.table_check.reading import Sheet, format_cell
from data.release import Release

# Returns those tables in the files of a release that have the given headings.
ListTables = Callable[[Release, Sequence[str]], Iterable[pd.DataFrame]]
_YES_NO = {"True": "1", "False": "0"}  # as a workbook stores them


def find_release(sheet: Sheet, releases: Sequence[Release], list_tables: ListTables) -> Release | None:
    """Return the first release of which one table has the sheet's headings and all of its rows; None if there is none.

    All rows must come from one release, so that a table with two noisy numbers of one cell is not accepted as the
    product's own. This holds for rows of words too, because they may contain a name.
    """
    rows = set(_format_rows(sheet.cells))
    for release in releases:
        for table in list_tables(release, tuple(map(str, sheet.cells.columns))):
            if rows <= set(_format_rows(table)):
                return release
    return None


def _format_rows(table: pd.DataFrame) -> Iterable[tuple[str, ...]]:
    """Return the rows of a table as texts, which are the same for CSV, a workbook and a table in memory."""
    columns = []
    for place in range(table.shape[1]):
        codes, values = pd.factorize(table.iloc[:, place])
        texts = [*map(_format_text, values), ""]  # the last where the code is -1: missing
        columns.append([texts[code] for code in codes])
    return zip(*columns, strict=True)


def _format_text(value: object) -> str:
    text = format_cell(value).lstrip("'")
    try:
        return f"{float(text):.10g}"
    except ValueError:
        return _YES_NO.get(text, text)
