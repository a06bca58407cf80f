"""Published figures of parts of an area: counts are added up, and rows that cannot be added are rejected.

A municipality that was split in 2019 is one area here. If a file has figures of its parts, their sum becomes the figure
of the whole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.message import Message
from data.reference import area_table
from data.restricted.intake.checks import Cells, Rows

SUMMED = "sum of the municipalities of 2019"
_KEY = ["area", "period", "measure", "source", "year", "status"]
_TWICE = "one row for each area, period, measure and source"
_ALL_PARTS = "a row for each of {parts}, with the same period, source, year and status; or one row for the whole"


def sum_parts(rows: Rows) -> tuple[Rows, list[str]]:
    """Return the rows, in which parts of an area are replaced by their sum, and a note for each sum.

    A sum replaces the first row of its parts. These rows are rejected, and the message names all of their lines: an
    area that is given twice, the whole together with its parts, a part without the others, and parts with shares or
    without numbers.
    """
    table = area_table()
    english = dict(zip(table.index.astype(str), table["name_en"].astype(str), strict=True))
    successors = {code: tuple(codes.split(";")) for code, codes in table["succeeded_by"].items() if codes}
    good = np.flatnonzero(rows.good())
    names = [*_KEY, "number", "share", "note"]
    frame = pd.DataFrame({name: rows.cells[name].take(good) for name in names}, index=good)
    frame["named"] = [rows.named["area"][code] for code in rows.cells["area"].codes[good].tolist()]
    dropped = np.zeros(len(rows), dtype=bool)
    sums: dict[int, tuple[float, str]] = {}
    notes: list[str] = []
    for key, group in frame.groupby(_KEY, sort=False):
        area = str(key[0])
        parts = successors.get(area, ())
        parts_named = [named & set(parts) for named in group["named"]]
        if len(group) == 1 and (not parts_named[0] or area in group["named"].iloc[0]):
            continue  # the whole, or a name that the whole has too
        lines = ", ".join(map(str, rows.lines[group.index]))
        name = english[area]
        listed = ", ".join(f"{english[part]} ({part})" for part in parts)
        counts = Counter(parts_named)
        twice = [code for code, names in zip(group.index, parts_named, strict=True) if counts[names] > 1]
        if twice:
            where = ", ".join(map(str, rows.lines[twice]))
            _refuse(
                rows, group.index, "area", Message("the same area is given twice (lines {lines})", lines=where), _TWICE
            )
        elif frozenset[str]() in counts:
            reason = Message("{area} and its parts are both given (lines {lines})", area=name, lines=lines)
            _refuse(rows, group.index, "area", reason, "either the whole or its parts")
        elif frozenset().union(*parts_named) != set(parts):
            reason = Message(
                "a part of {area} is missing, so that the whole is unknown (lines {lines})", area=name, lines=lines
            )
            _refuse(rows, group.index, "area", reason, _ALL_PARTS.format(parts=listed))
        elif group["number"].isna().any() or group["share"].notna().any():
            reason = Message("shares of the parts of {area} cannot be added up (lines {lines})", area=name, lines=lines)
            _refuse(rows, group.index, "share", reason, "numbers without shares, or one row for the whole")
        else:
            first, total = int(group.index[0]), float(group["number"].sum())
            dropped[group.index[1:]] = True
            sums[first] = (total, "; ".join(dict.fromkeys([*filter(None, group["note"]), SUMMED])))
            notes.append(
                Message(
                    "The rows in lines {lines} are the parts of {area}: their sum, {total:,.12g}, is stored.",
                    lines=lines,
                    area=name,
                    total=total,
                )
            )
    return _take(_write_sums(rows, sums), ~dropped), notes


def _refuse(rows: Rows, positions: npt.ArrayLike, column: str, reason: Message, allowed: str) -> None:
    mask = np.zeros(len(rows), dtype=bool)
    mask[np.asarray(positions)] = True
    rows.fault(mask, column, reason, allowed)


def _write_sums(rows: Rows, sums: dict[int, tuple[float, str]]) -> Rows:
    """Return the rows with number and note replaced at the positions of `sums`."""
    cells = dict(rows.cells)
    for place, name in enumerate(("number", "note")):
        values = cells[name].take(slice(None))
        for position, row in sums.items():
            values[position] = row[place]
        cells[name] = Cells(np.arange(len(values)), values)
    return replace(rows, cells=cells)


def _take(rows: Rows, mask: npt.NDArray[np.bool_]) -> Rows:
    """Return only the rows of a mask, but all faults."""
    cells = {name: Cells(cell.codes[mask], cell.distinct) for name, cell in rows.cells.items()}
    wrong = {name: faulty[mask] for name, faulty in rows.wrong.items()}
    return replace(rows, lines=rows.lines[mask], cells=cells, wrong=wrong)
