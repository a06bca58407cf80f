"""Today's posts as a table: drafted from a release, written for people to correct, and read back.

    area,kind,searches,units,children,committed,room

One row an area and kind of unit. `searches` is yes for what looks for children (outreach) and no for what
serves them. `children` is how many one unit can meet or serve in a quarter, the same in all rows of a kind.
`committed` units may not move (empty: none); `room` is the most units of all kinds that an area can hold
(empty: no limit; the largest of an area's rows counts).

A draft reads nothing but the release, and holds outreach alone: staff of services is withheld where few
operators work, and belongs to them. Whoever knows the posts adds their services, and corrects the rest.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.errors import InputError
from data.small_tables import Cells, rows
from risk.observations import Observations
from risk.plan import Kind

__all__ = ["COLUMNS", "TEAM_DAYS", "Table", "drafted", "parsed", "read", "written"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COLUMNS = ("area", "kind", "searches", "units", "children", "committed", "room")
_NEEDED = COLUMNS[:5]
_MOST = 100_000
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")

OUTREACH = "outreach team"
TEAM_DAYS = 20.0  # days of outreach a quarter that make a team
_YEAR = 4  # quarters
_MOSTLY = 0.9  # of all outreach met fewer children a team than a team can


@dataclass(frozen=True, eq=False)
class Table:
    """Posts of A areas and K kinds. units, committed : (A, K). room : (A,), the most units of all kinds."""

    areas: tuple[str, ...]
    kinds: tuple[Kind, ...]
    units: Ints
    committed: Ints
    room: Ints


def drafted(seen: Observations) -> Table:
    """Draft the posts of outreach teams, for the areas that the model knows.

    A team is `TEAM_DAYS` of outreach a quarter, by the mean of the last year. It can meet as many children
    as a team met where teams met most, nine tenths of all outreach being below.
    """
    found = np.maximum(seen.published[:, -_YEAR:], 0).sum(axis=(1, 2, 3)) / _YEAR
    teams = np.rint(seen.effort[:, -_YEAR:].mean(axis=1) / TEAM_DAYS).astype(np.int64)
    units = teams[:, None]
    room = np.full(len(teams), int(teams.sum()), np.int64)
    kind = Kind(OUTREACH, _of_a_team(found, teams), search=True)
    return Table(seen.areas, (kind,), units, np.zeros_like(units), room)


def _of_a_team(found: Floats, teams: Ints) -> float:
    """Give the children that a team can meet a quarter: the upper tenth of what teams met, by teams."""
    there = teams > 0
    if not there.any():
        return 1.0
    each = found[there] / teams[there]
    order = np.argsort(each, kind="stable")
    share = np.cumsum(teams[there][order]) / teams[there].sum()
    return max(round(float(each[order][int(np.searchsorted(share, _MOSTLY))]), 1), 0.1)


def written(table: Table) -> str:
    """Write a table as CSV, one row an area and kind; read back it gives the same."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    free = int(table.units.sum())
    for a, area in enumerate(table.areas):
        for k, kind in enumerate(table.kinds):
            room = "" if table.room[a] >= free else int(table.room[a])
            fixed = int(table.committed[a, k]) or ""
            searches = "yes" if kind.search else "no"
            out.writerow(
                (area, kind.name, searches, int(table.units[a, k]), f"{kind.children:g}", fixed, room)
            )
    return text.getvalue()


def read(path: Path, areas: Sequence[str]) -> Table:
    """Read a table of posts for some areas; areas without a row have no units.

    Raises FileRefused where the file is no such table, and InputError, naming the row, what is wrong with it
    and what to do; nothing of a faulty file is taken.
    """
    return parsed(Path(path).name, rows(Path(path), _NEEDED), areas)


def parsed(name: str, found: Sequence[tuple[int, Cells]], areas: Sequence[str]) -> Table:
    """Make a table of the rows of a file called `name`; see `read`."""
    place = {code: at for at, code in enumerate(areas)}
    kinds: dict[str, Kind] = {}
    entries: dict[tuple[int, str], _Entry] = {}
    for row, cells in found:
        where = f"{name}, row {row}"
        at, kind = place[_area(cells, place, where)], _kind(cells, kinds, where)
        if (at, kind.name) in entries:
            msg = f"{where}: {kind.name!r} in {areas[at]} stands there already. Add the units up in one row."
            raise InputError(msg)
        entries[at, kind.name] = _Entry.of(cells, where)
    if not entries:
        msg = f"{name} holds no post. Write one row an area and kind of unit."
        raise InputError(msg)
    return _laid(name, tuple(areas), tuple(kinds.values()), entries)


@dataclass(frozen=True)
class _Entry:
    """The numbers of a row; room is -1 where there is no limit."""

    units: int
    committed: int
    room: int

    @classmethod
    def of(cls, cells: Cells, where: str) -> _Entry:
        entry = cls(
            _whole(cells, "units", where),
            _whole(cells, "committed", where, empty=0),
            _whole(cells, "room", where, empty=-1),
        )
        if entry.committed > entry.units:
            msg = f"{where}: more units are committed than there are. Correct units or committed."
            raise InputError(msg)
        return entry


def _laid(
    name: str, areas: tuple[str, ...], kinds: tuple[Kind, ...], entries: Mapping[tuple[int, str], _Entry]
) -> Table:
    order = {kind.name: at for at, kind in enumerate(kinds)}
    units = np.zeros((len(areas), len(kinds)), np.int64)
    committed, room = np.zeros_like(units), np.full(len(areas), -1, np.int64)
    for (at, kind), entry in entries.items():
        units[at, order[kind]], committed[at, order[kind]] = entry.units, entry.committed
        room[at] = max(room[at], entry.room)
    free = np.where(room < 0, units.sum(), room).astype(np.int64)
    if (short := units.sum(axis=1) > free).any():
        msg = f"{name}: {areas[int(np.argmax(short))]} holds more units than room. Correct units or room."
        raise InputError(msg)
    return Table(areas, kinds, units, committed, free)


def _area(cells: Cells, known: dict[str, int], where: str) -> str:
    if cells["area"] not in known:
        msg = (
            f"{where}: {cells['area']!r} is no area of the plan. Write a county's or region's code, such as "
            "AL-11; areas whose population is not known cannot be planned for."
        )
        raise InputError(msg)
    return cells["area"]


def _kind(cells: Cells, kinds: dict[str, Kind], where: str) -> Kind:
    """Take the kind of a row up; it must be the same in all its rows."""
    name, searches = cells["kind"], cells["searches"].casefold()
    if not name or searches not in (*_YES, *_NO):
        msg = f"{where}: kind must name a kind of unit and searches be yes or no."
        raise InputError(msg)
    kind = Kind(name, _children(cells["children"], where), search=searches in _YES)
    if kinds.setdefault(name, kind) != kind:
        msg = f"{where}: searches or children of {name!r} differ from its rows above. Use the same in all."
        raise InputError(msg)
    return kind


def _children(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0.0 < value <= _MOST:
        msg = f"{where}: {text!r} in column children is no number above 0. Use a decimal point."
        raise InputError(msg)
    return value


def _whole(cells: Cells, column: str, where: str, empty: int | None = None) -> int:
    text = cells.get(column, "")
    if not text and empty is not None:
        return empty
    if not text.isascii() or not text.isdigit() or int(text) > _MOST:
        msg = f"{where}: {text!r} in column {column} is no whole number from 0 to {_MOST}."
        raise InputError(msg)
    return int(text)
