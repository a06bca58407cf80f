"""The outline of a file: from which headings it is read, and how full and how varied its columns are.

The vault keeps that of each import, so that the next file of the partner can be compared with it. It has no cell of the
file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from math import sqrt

import numpy as np

from data.message import Message
from data.personal.headings import plain_heading
from data.restricted.intake.checks import Rows
from data.restricted.intake.headings import SURE, Layout, read_meanings
from data.restricted.intake.likely_columns import count_repeated, may_be_group
from data.schema.column import RecordKind

_LEAST_CHANGE = 0.25  # of the rows
_BY_CHANCE = 2.8  # standard deviations: four full cells after four empty ones are more
_FEWEST = 3  # rows of which all are filled in one file and none in the next
_LIKE_SIZE = 1.5  # times as many rows: distinct values are not compared with a file that is larger by more


@dataclass(frozen=True)
class Outline:
    """The headings of each of our columns, the number of rows, and by column the filled cells and distinct values.

    `repeated` rows are about a child, day and place of an earlier row. `rivals` are headings that surely mean a column
    which a mapping reads from another heading.
    """

    partners: list[str]
    headings: dict[str, list[str]]
    rivals: dict[str, str]
    rows: int
    filled: dict[str, int]
    distinct: dict[str, int]
    repeated: int

    def to_json(self) -> str:
        """Return the outline as a text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Outline:
        """Read the text of an outline."""
        return cls(**json.loads(text))


def draw_outline(kind: RecordKind, headings: list[str], layout: Layout, rows: Rows, partners: Iterable[str]) -> Outline:
    """Return the outline of a file; `layout` is that of its headings."""
    good, filled, distinct = rows.good(), {}, {}
    for name in layout.list_found():
        cells = rows.cells.get("child" if name == "child_id" else name)
        if cells is not None:
            used, counts = np.unique(cells.codes[good], return_counts=True)
            empty = ("", None, kind.column(name).default)
            pairs = [(cells.distinct[code], n) for code, n in zip(used.tolist(), counts.tolist(), strict=True)]
            filled[name] = sum(n for value, n in pairs if value not in empty)
            distinct[name] = len({value for value, _ in pairs if value not in empty})
    named = {name: [plain_heading(headings[p], p) for p in layout.positions_of(name)] for name in layout.list_found()}
    rivals = {
        plain_heading(headings[position], position): name
        for position in layout.unknown
        for name, sure in read_meanings(kind.name, headings[position]).items()
        if sure >= SURE and name in layout.mapped
    }
    of_row = [rows.cells[name].codes[good] for name in ("child", "date", "municipality") if "child" in rows.cells]
    repeated = count_repeated(*of_row)
    return Outline(sorted(partners), named, rivals, int(good.sum()), filled, distinct, repeated)


def compare_outlines(kind: RecordKind, earlier: Iterable[Outline], now: Outline) -> Iterator[Message]:
    """Yield what is different from earlier files of the partner, the latest first; nothing for its first file.

    A file with the same headings is preferred, so that a partner may have several forms.
    """
    same_partner = [outline for outline in earlier if outline.partners == now.partners]
    alike = [o for o in same_partner if (o.headings, o.rivals) == (now.headings, now.rivals)]
    before = next(iter([*alike, *same_partner]), None)
    for heading, name in now.rivals.items():
        if before is None or heading not in before.rivals:
            yield Message(
                "{heading!r} means {column}, but the partner's mapping reads {column} from {mapped}.",
                heading=heading,
                column=name,
                mapped=_list(now.headings[name]),
            )
    if may_be_group(now.repeated, now.rows) and not (before and may_be_group(before.repeated, before.rows)):
        yield Message(
            "{count:,} of {rows:,} rows have the {column} of another row of the same day and place, as those of one "
            "family or case do.",
            count=now.repeated,
            rows=now.rows,
            column="child_id",
        )
    if before is None:
        return
    for name in dict.fromkeys([*before.headings, *now.headings]):
        if before.headings.get(name, []) != now.headings.get(name, []):
            yield Message(
                "{column} is read from {now}; in the last file from {before}.",
                column=name,
                now=_list(now.headings.get(name, [])),
                before=_list(before.headings.get(name, [])),
            )
    for name in set(before.filled) & set(now.filled):
        if _is_other(before.filled[name], before.rows, now.filled[name], now.rows):
            yield Message(
                "{column} is filled in {now:,} of {rows:,} rows; in the last file in {before:,} of {earlier:,}.",
                column=name,
                now=now.filled[name],
                rows=now.rows,
                before=before.filled[name],
                earlier=before.rows,
            )
        elif _is_varied(kind, name, before, now) and _is_other(
            before.distinct[name], before.rows, now.distinct[name], now.rows
        ):
            yield Message(
                "{column} has {now:,} different values in {rows:,} rows; in the last file {before:,} in {earlier:,}.",
                column=name,
                now=now.distinct[name],
                rows=now.rows,
                before=before.distinct[name],
                earlier=before.rows,
            )


def _is_varied(kind: RecordKind, name: str, before: Outline, now: Outline) -> bool:
    """Return whether the share of rows that repeat a value says what a column is, and can be compared."""
    varied = kind.column(name).type in ("identifier", "date", "day_or_week") or name == "record_number"
    return varied and max(before.rows, now.rows) <= _LIKE_SIZE * min(before.rows, now.rows)


def _is_other(first: int, of_first: int, then: int, of_then: int) -> bool:
    """Return whether two shares differ by much, and by more than chance explains (test of two proportions)."""
    if not of_first or not of_then:
        return False
    change, share = abs(first / of_first - then / of_then), (first + then) / (of_first + of_then)
    deviation = sqrt(share * (1 - share) * (1 / of_first + 1 / of_then))
    if change == 1 and min(of_first, of_then) >= _FEWEST:
        return True
    return change >= _LEAST_CHANGE and change > _BY_CHANCE * deviation


def _list(headings: list[str]) -> str:
    return ", ".join(map(repr, headings)) or Message("no column")
