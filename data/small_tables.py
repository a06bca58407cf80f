"""Reading small tables that people write by hand, as travel times or posts: CSV in UTF-8 with a heading."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from data.errors import FileRefused

__all__ = ["Cells", "rows", "rows_of"]

Cells = dict[str, str]


def rows(path: Path, needed: Sequence[str]) -> list[tuple[int, Cells]]:
    """Read the rows with their numbers, the heading being row 1; empty rows do not count.

    Column names are matched whatever their case; cells are stripped, and empty where a row is short. Raises
    FileRefused where the file cannot be read or a needed column is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path.name} cannot be read. Save it as CSV in UTF-8 with the columns {','.join(needed)}."
        raise FileRefused(msg) from error
    return rows_of(path.name, text, needed)


def rows_of(name: str, text: str, needed: Sequence[str]) -> list[tuple[int, Cells]]:
    """Read the rows of a text that came as a file called `name`; see `rows`."""
    lines = list(csv.reader(text.splitlines()))
    heading = [column.strip().casefold() for column in lines[0]] if lines else []
    if missing := [column for column in needed if column not in heading]:
        listed = ",".join(needed)
        msg = f"{name} has no column {', '.join(missing)}. Row 1 must hold {listed} with commas between."
        raise FileRefused(msg)
    found = []
    for number, line in enumerate(lines[1:], 2):
        if any(cell.strip() for cell in line):
            cells = [cell.strip() for cell in line] + [""] * (len(heading) - len(line))
            found.append((number, dict(zip(heading, cells, strict=False))))
    return found
