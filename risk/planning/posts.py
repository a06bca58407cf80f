"""Today's posts as a table: estimated from a release, written for people to correct, and read again.

    area,kind,searches,units,children,committed,room

One row for each area and kind of unit. `searches` is yes for units that look for children (outreach) and no
for services. `children` is how many one unit can meet or serve in a quarter, the same in all rows of a kind.
`committed` units may not move (empty: none); `room` is the largest number of units of all kinds in an area
(empty: no limit; the largest value of the area counts).

A draft is made from the release only, and has outreach teams only: staff of services is withheld where few
operators work. Whoever knows the posts adds the services and corrects the rest.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import InputError
from data.workspace.small_tables import Row, parse_rows, read_rows
from data.workspace.types import Floats, Ints
from risk.model.observations import Observations
from risk.numbers import apportion
from risk.planning.problem import Kind

COLUMNS = ("area", "kind", "searches", "units", "children", "committed", "room")
_NEEDED, _OPTIONAL = COLUMNS[:5], COLUMNS[5:]
_NO_AREA = (
    "not an area of the plan. Write the code of a county or region, such as AL-11, or of a "
    "municipality in a plan by municipality. Areas "
    "without a known population cannot be planned for."
)
_LARGEST = 100_000
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")

OUTREACH = "outreach team"
TEAM_DAYS = 20.0  # days of outreach a quarter that make a team
_YEAR = 4  # quarters
_UPPER = 0.9  # quantile of the children met per team


@dataclass(frozen=True, eq=False)
class PostsTable:
    """Posts of A areas and K kinds.

    units, committed : units, and those that may not move, (A, K). room : largest number of units of all kinds, (A,).
    """

    areas: tuple[str, ...]
    kinds: tuple[Kind, ...]
    units: Ints
    committed: Ints
    room: Ints


def draft_posts(observations: Observations) -> PostsTable:
    """Estimate the posts of outreach teams in the areas of the model.

    A team is `TEAM_DAYS` of outreach per quarter in a region, by the mean of the last year, docs/planner.md eq. (14);
    the teams of a region are divided among its municipalities by their days, eq. (58).
    """
    days, members = observations.effort[:, -_YEAR:].mean(axis=1), observations.region_members
    children = members @ (np.maximum(observations.published[:, -_YEAR:], 0).sum(axis=(1, 2, 3)) / _YEAR)
    teams = np.rint(members @ days / TEAM_DAYS).astype(np.int64)
    units = np.zeros((len(days), 1), np.int64)
    for region in np.flatnonzero(teams):
        inside = observations.region_of == region
        units[inside, 0] = apportion(days[inside], int(teams[region]))
    room = np.full(len(units), int(teams.sum()), np.int64)
    kind = Kind(OUTREACH, _estimate_team_children(children, teams), search=True)
    return PostsTable(observations.areas, (kind,), units, np.zeros_like(units), room)


def _estimate_team_children(children: Floats, teams: Ints) -> float:
    """Return the children that a team can meet per quarter, docs/planner.md eq. (15).

    It is the 0.9 quantile of the children met per team, but at least 0.1; and 1 without any team. children : those met
    per quarter in each region, (R,). teams : of each region, (R,).
    """
    there = teams > 0
    if not there.any():
        return 1.0
    each = children[there] / teams[there]
    order = np.argsort(each, kind="stable")
    share = np.cumsum(teams[there][order]) / teams[there].sum()
    return max(round(float(each[order][int(np.searchsorted(share, _UPPER))]), 1), 0.1)


def write_posts(table: PostsTable) -> str:
    """Return a table as CSV, one row for each area and kind; read again, it gives the same posts.

    Column room is empty where it limits nothing.
    """
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    free = int(table.units.sum())
    for a, area in enumerate(table.areas):
        for k, kind in enumerate(table.kinds):
            room = "" if table.room[a] >= free else int(table.room[a])
            fixed = int(table.committed[a, k]) or ""
            searches = "yes" if kind.search else "no"
            out.writerow((area, kind.name, searches, int(table.units[a, k]), f"{kind.children:g}", fixed, room))
    return text.getvalue()


def read_posts(path: Path, areas: Sequence[str]) -> PostsTable:
    """Read a table of posts for these areas, given by codes; areas without a row have no units.

    Raises FileRefused if the file cannot be read or lacks a column, and InputError, which says what to do, for a wrong
    row, a table without rows, or an area with more units than its room.
    """
    return _parse_rows(Path(path).name, read_rows(path, _NEEDED, _OPTIONAL), areas)


def parse_posts(name: str, text: str, areas: Sequence[str]) -> PostsTable:
    """Read a table of posts from `text`, the content of a file called `name`; see `read_posts`."""
    return _parse_rows(name, parse_rows(name, text, _NEEDED, _OPTIONAL), areas)


def _parse_rows(name: str, rows: Sequence[Row], areas: Sequence[str]) -> PostsTable:
    """Return the table of posts of these rows; see `read_posts`."""
    positions = {code: position for position, code in enumerate(areas)}
    kinds: dict[str, Kind] = {}
    entries: dict[tuple[int, str], _Entry] = {}
    for row in rows:
        position, kind = positions[row.one_of("area", positions, _NO_AREA)], _read_kind(row, kinds)
        if (position, kind.name) in entries:
            raise row.fault(f"{kind.name!r} in {areas[position]} is in the table twice. Add the units up in one row.")
        entries[position, kind.name] = _Entry.from_row(row)
    if not entries:
        raise InputError(f"{name} has no post. Write one row for each area and kind of unit.")
    return _fill_table(name, tuple(areas), tuple(kinds.values()), entries)


@dataclass(frozen=True)
class _Entry:
    """The numbers of a row; room is -1 where there is no limit."""

    units: int
    committed: int
    room: int

    @classmethod
    def from_row(cls, row: Row) -> _Entry:
        entry = cls(
            row.whole("units", 0, _LARGEST),
            row.whole("committed", 0, _LARGEST) if row["committed"] else 0,
            row.whole("room", 0, _LARGEST) if row["room"] else -1,
        )
        if entry.committed > entry.units:
            raise row.fault("column committed is larger than column units. Correct one of them.")
        return entry


def _fill_table(
    name: str, areas: tuple[str, ...], kinds: tuple[Kind, ...], entries: Mapping[tuple[int, str], _Entry]
) -> PostsTable:
    order = {kind.name: position for position, kind in enumerate(kinds)}
    units = np.zeros((len(areas), len(kinds)), np.int64)
    committed, room = np.zeros_like(units), np.full(len(areas), -1, np.int64)
    for (position, kind), entry in entries.items():
        units[position, order[kind]], committed[position, order[kind]] = entry.units, entry.committed
        room[position] = max(room[position], entry.room)
    free = np.where(room < 0, units.sum(), room).astype(np.int64)
    if (short := units.sum(axis=1) > free).any():
        area = areas[int(np.argmax(short))]
        raise InputError(f"{name}: {area} has more units than column room allows. Correct one of them.")
    return PostsTable(areas, kinds, units, committed, free)


def _read_kind(row: Row, kinds: dict[str, Kind]) -> Kind:
    """Return the kind of a row, and keep it in `kinds`; raise InputError if another row describes it differently."""
    name, searches = row["kind"], row["searches"].casefold()
    if not name or searches not in (*_YES, *_NO):
        raise row.fault("column kind must name a kind of unit, and column searches must be yes or no.")
    kind = Kind(name, _read_children(row), search=searches in _YES)
    if kinds.setdefault(name, kind) != kind:
        raise row.fault(f"searches or children of {name!r} differ between rows. Use the same in all rows of this kind.")
    return kind


def _read_children(row: Row) -> float:
    try:
        value = float(row["children"])
    except ValueError:
        value = np.nan
    if not 0.0 < value <= _LARGEST:
        raise row.fault(f"{row['children']!r} in column children is not a number above 0. Use a decimal point.")
    return value
