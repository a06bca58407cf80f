"""Check whether a table made from exports may be published: what it reveals, together with all releases.

Numbers that are released to everybody, and results computed from them, reveal nothing new: the release protects them.
So each column is traced to the cells from which it comes (origins.py). Numbers that are only in the partner tier, that
no release has, or that a release hides on purpose, are reported with their rows, the rule and a remedy. Then the bounds
attack is run on all public releases, with what the table says of single counts. No finding contains a number of the
table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pandas as pd

from data.disclosure.attacks import reading as published
from data.disclosure.attacks.bounds import BoundsAttack, Learned
from data.disclosure.table_check.cells import (
    HIGH,
    LOW,
    MARGIN,
    NOISY,
    NOISY_MARGIN,
    Atlas,
    Cell,
    Key,
    ReadTable,
    Source,
    add_up,
    read_source,
)
from data.disclosure.table_check.context import ALL_AREAS, Column, Context, FindAreas, Known, read_context
from data.disclosure.table_check.origins import Origin, Remembered, find_beside, find_origin, find_within, list_rests
from data.disclosure.table_check.product_files import ListTables, find_release
from data.disclosure.table_check.reading import Sheet, holds_digits, read_sheets
from data.disclosure.table_check.wide import list_long
from data.errors import InputError, ReleaseError
from data.message import Message, mark
from data.release import Release, names
from data.tables.periods import GRAINS, Period
from data.tables.spec import CATEGORIES, COUNTED, LEVELS, TIERS, Level, TableSpec, Tier
from data.tables.states import ZEROS

__all__ = ["AUDIENCES", "RULES", "Check", "Comparison", "Finding", "Rule"]

Audience = Literal["everyone", "partners", "nobody"]
AUDIENCES: tuple[Audience, ...] = ("everyone", "partners", "nobody")
_CLASS = 5  # classes of numbers begin at its multiples


@dataclass(frozen=True)
class Rule:
    """A rule for tables: who may see a table that breaks it, what is wrong there, and what to do instead."""

    audience: Audience
    words: str
    remedy: str


_LEAVE_OUT = mark("Leave the column out. Nothing that describes one child is published.")
_TAKE_PUBLIC = mark("Take the number of the public release, or leave it out.")
_WRITE_STATE = mark("Write the words of the release, such as “fewer than {k}, possibly none”, or leave the cell empty.")
_JOIN = mark("Join areas, years or categories, and take the public number of the larger one.")
RULES: dict[str, Rule] = {
    "personal": Rule("nobody", mark("holds data of single children ({kind})"), _LEAVE_OUT),
    "copies": Rule(
        "nobody",
        mark("the workbook holds more than values: formulas, comments, charts, pictures, or copies of other tables"),
        mark("Save the values alone in a new workbook, or as CSV."),
    ),
    "partner_only": Rule("partners", mark("is in the files of partners alone"), _TAKE_PUBLIC),
    "hidden": Rule("partners", mark("has a number where the public release hides it"), _WRITE_STATE),
    "small_base": Rule("partners", mark("is a share or change of a number below {k}"), _JOIN),
    "narrowed": Rule(
        "partners",
        mark("together with all public releases it shows numbers more closely than the policy allows"),
        _JOIN,
    ),
    "rest": Rule("nobody", mark("is what is left of a total, and so a number that the release hides"), _WRITE_STATE),
    "zero": Rule(
        "nobody", mark("is written as 0, or added up as 0, where the release does not say zero"), _WRITE_STATE
    ),
    "filled": Rule("nobody", mark("has a number where no release has one"), _WRITE_STATE),
    "joined": Rule(
        "nobody",
        mark("joins two draws of the same number (two releases, or both tiers): their difference or mean tells more"),
        mark("Take all numbers from the newest release alone."),
    ),
    "crossed": Rule(
        "nobody",
        mark("combines categories that no released table combines, so that few children are in a cell"),
        mark("Show one breakdown at a time, as the release does."),
    ),
    "unknown": Rule(
        "nobody",
        mark("is found in no release, and cannot be computed from one"),
        mark("Take the numbers of a release as they are. Name the column as your own if it does not count children."),
    ),
    "unread": Rule(
        "nobody",
        mark("has digits, in cells or in the heading, that cannot be read as one number"),
        mark("Write one number in each cell, and notes without digits. Or name a column of notes as your own."),
    ),
}


@dataclass(frozen=True)
class Finding:
    """A rule that a table breaks, and where: a key of RULES, the sheet, the column, and the rows in the file.

    sheet: empty if there is only one, or for the whole file. column: its heading; empty for all columns. rows: numbers
    from 1; empty for the whole column. values: the values that the words of the rule and its remedy name.
    """

    rule: str
    sheet: str
    column: str
    rows: tuple[int, ...]
    values: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Check:
    """The result of a check: who may see the table, why not more people, and what was checked.

    matched: columns whose numbers were found. own_columns: columns that, as the user said, do not come from a release.
    texts: columns of words, which are not checked. written: sheets that the product itself wrote. narrowed: the
    protected cells that the table would narrow down, in words. releases: the names of the releases that were compared.
    tier: the tier that the user may see.
    """

    audience: Audience
    findings: tuple[Finding, ...]
    matched: tuple[str, ...]
    own_columns: tuple[str, ...]
    texts: tuple[str, ...]
    written: tuple[str, ...]
    narrowed: tuple[str, ...]
    releases: tuple[str, ...]
    tier: Tier


class Comparison:
    """All releases of a folder that a table is compared with."""

    def __init__(
        self,
        releases: Path,
        shown_names: Sequence[str],
        find_areas: FindAreas,
        *,
        tier: Tier = "partner",
        derived: Path | None = None,
        blocked: frozenset[str] = frozenset(),
        list_tables: ListTables = lambda _release, _headings: (),
    ) -> None:
        """Open the releases; raise ReleaseError if there is none, ReleaseDamaged if a file of one was changed.

        shown_names: the names of the releases that may be shown, newest first. Other releases in the folder were taken
        back: somebody may still have them, so they are attacked too, but not named. tier: the tier that the user may
        see; on the public tier no partner file is opened. find_areas: returns the codes that a name may mean. derived:
        the folder of results. blocked: the measures that governance does not approve. list_tables: returns those
        tables in the product's own files of a release that have the given headings.
        """
        self.tier, self._list_tables = tier, list_tables
        self._opened = _open_releases(releases, shown_names, tier, derived, blocked)
        if not self._opened:
            raise ReleaseError(Message("No release in {releases} yet. Make one with: tact release", releases=releases))
        self._attacked = _open_releases(releases, names(releases), "public", None, blocked)
        self._areas = published.read_areas(self._opened[0])
        self._tables: dict[tuple[Path, str], pd.DataFrame] = {}
        self._known = _read_known(self._opened, self._areas, self._read_table, find_areas)

    def _read_table(self, release: Release, name: str) -> pd.DataFrame:
        place = (release.folder, name)
        if place not in self._tables:
            self._tables[place] = release.table(name)
        return self._tables[place]

    def check(self, name: str, content: bytes, own_columns: Collection[str] = ()) -> Check:
        """Check a CSV or XLSX file, and return the result.

        name: the file's name, with its ending. own_columns: headings of columns that do not come from a release. Raises
        InputError for a file that cannot be read, has no number, or has no column with a heading in `own_columns`.
        """
        sheets, more = read_sheets(name, content)
        missing = sorted(set(own_columns) - {str(column) for sheet in sheets for column in sheet.cells.columns})
        if missing:
            raise InputError(Message("{name} has no column {column!r}.", name=name, column=missing[0]))
        tiers = self._find_tiers(sheets)
        product_sheets = [(sheet.name, tier) for sheet, tier in zip(sheets, tiers, strict=True) if tier]
        sheets = [sheet for sheet, tier in zip(sheets, tiers, strict=True) if not tier]
        contexts = [read_context(sheet.cells, self._known) for sheet in sheets]
        personal = [
            Finding("personal", sheet.name, column, (), (("kind", kind),))
            for sheet, context in zip(sheets, contexts, strict=True)
            for column, kind in context.personal
        ]
        if not personal and not product_sheets and not any(context.columns for context in contexts):
            raise InputError(Message("{name} has no column with numbers, so there is nothing to check.", name=name))
        judges = [] if personal else self._judge(sheets, contexts, frozenset(own_columns))
        narrowed = _attack(self._attacked, self._areas, [fact for judge in judges for fact in judge.learned])
        findings = [Finding("copies", "", "", ())] if more else []
        findings += [Finding("partner_only", sheet, "", ()) for sheet, tier in product_sheets if tier != "public"]
        findings += [*personal, *(finding for judge in judges for finding in judge.findings)]
        findings += [Finding("narrowed", "", "", ())] if narrowed else []
        worst = max((AUDIENCES.index(RULES[finding.rule].audience) for finding in findings), default=0)
        return Check(
            AUDIENCES[worst],
            tuple(findings),
            tuple(heading for judge in judges for heading in judge.matched),
            tuple(own_columns),
            tuple(heading for context in contexts for heading in context.texts if heading not in own_columns),
            tuple(sheet or name for sheet, _ in product_sheets),
            tuple(narrowed),
            self._known.releases,
            self.tier,
        )

    def _find_tiers(self, sheets: Sequence[Sheet]) -> list[Tier | None]:
        """Return the tier of each sheet that the product itself wrote for a tier's newest release; None for others."""
        newest: dict[Tier, Release] = {}
        for release in self._opened:
            newest.setdefault(release.tier, release)
        releases = (find_release(sheet, list(newest.values()), self._list_tables) for sheet in sheets)
        return [release.tier if release else None for release in releases]

    def _judge(self, sheets: Sequence[Sheet], contexts: Sequence[Context], own_columns: frozenset[str]) -> list[_Judge]:
        """Judge sheets by public numbers, and again with partner numbers if a finding or an unknown column is left.

        Returns the judges.
        """
        public = [release for release in self._opened if release.tier == "public"]
        long = [list_long(context, own_columns) for context in contexts]
        judges: list[_Judge] = []
        for readable in [public, self._opened] if 0 < len(public) < len(self._opened) else [self._opened]:
            atlas = self._read_atlas(readable, [*contexts, *(each for group in long for each in group)])
            judge = partial(_Judge, atlas=atlas, release=self._opened[0], own_columns=own_columns, earlier_cells={})
            judges = [
                each
                for sheet, context, group in zip(sheets, contexts, long, strict=True)
                for each in _judge_sheet(sheet, context, group, judge)
            ]
            if not any(judge.findings or judge.unchecked for judge in judges):
                break
        return judges

    def _read_atlas(self, readable: Sequence[Release], contexts: Sequence[Context]) -> Atlas:
        """Read the cells with which the numbers of the sheets are compared.

        Areas: those that the sheets name, the areas that contain them, their neighbours within the same area, and the
        countries. Periods: those as long as the shortest period that the sheets name, or longer.
        """
        known = self._known
        named = {area for context in contexts for area in context.areas}
        outer = {known.parents.get(area, "") for area in named}
        countries = {area for area, level in known.levels.items() if level == "country"}
        beside = {area for area, parent in known.parents.items() if parent in outer | countries - {""}}
        wanted = frozenset((named | outer | countries | beside) & known.levels.keys())
        periods = {p for context in contexts for p in (*context.periods, *(c.period or "" for c in context.columns))}
        lengths = {Period.parse(name).grain for name in periods - {""}}
        grains = frozenset(GRAINS[min(map(GRAINS.index, lengths)) :] if lengths else GRAINS)
        sources: list[Source] = []
        for release in readable:
            newer = next((s for s in reversed(sources) if s.tier == release.tier), None)
            sources.append(read_source(release, self._read_table, wanted, grains, newer))
        if "km2" in self._areas:
            for area, size in self._areas["km2"].dropna().items():
                sources[0].figures.setdefault(str(area), set()).add(float(size))
        return Atlas(sources, known.parents, known.levels, {name: Period.parse(name) for name in known.periods})


def _open_releases(
    releases: Path, listed: Sequence[str], tier: Tier, derived: Path | None, blocked: frozenset[str]
) -> list[Release]:
    """Open the listed releases of a tier, and the public ones before them; each tier in the order of the list.

    Only the first release of each tier is opened with its results.
    """
    opened = []
    for each in reversed(TIERS[TIERS.index(tier) :]):
        there = [name for name in listed if (releases / name / each).is_dir()]
        for number, name in enumerate(there):
            opened.append(Release.open(releases, each, name, blocked, derived if number == 0 else None))
    return opened


def _read_known(opened: Sequence[Release], areas: pd.DataFrame, read_table: ReadTable, find_areas: FindAreas) -> Known:
    areas = areas[areas["level"].isin(LEVELS) & (areas["counted"].astype(bool) if "counted" in areas else True)]
    periods: dict[str, None] = {}
    later: dict[str, None] = {}
    texts: set[str] = set()
    figures: set[str] = set()
    for release in opened:
        for resource in release.manifest["resources"]:
            if resource["name"] != "areas":
                counted = (resource.get("tact") or {}).get("measure") in COUNTED
                table = read_table(release, resource["name"])
                (periods if counted else later).update(dict.fromkeys(map(str, table["period"].unique())))
                if release.tier == "public":
                    texts.update(text for name in ("source", "note") if name in table for text in table[name].unique())
                    figures.update(_list_figures(table))
    parents = {str(code): str(parent or "") for code, parent in areas["parent"].items()}
    levels = {str(code): str(level) for code, level in areas["level"].items()}
    listed = tuple(dict.fromkeys(release.name for release in opened))
    notes = tuple(sorted((str(text) for text in texts if text), key=len, reverse=True))
    return Known(parents, levels, (*sorted(periods), *later), listed, find_areas, notes, frozenset(figures))


def _list_figures(table: pd.DataFrame) -> Iterator[str]:
    """Yield the published figures of a table with their sources, as the notes of maps list them."""
    if {"number", "source", "year"}.issubset(table):
        whole = table[table["number"] % 1 == 0]
        for number, source, year in zip(whole["number"], whole["source"], whole["year"], strict=True):
            yield f"{int(number):,} ({source if holds_digits(source) else f'{source} {int(year)}'})"


def _judge_sheet(
    sheet: Sheet, context: Context, long: Sequence[Context], judge: Callable[..., _Judge]
) -> Iterator[_Judge]:
    """Yield the judges of a sheet: one for each long form that comes from a release, then one for the other columns."""
    long_columns: dict[int, Column] = {}
    for each in long:
        part = judge(sheet, each)
        if not part.unchecked:
            long_columns.update({column.position: column for column in each.wide})
            yield part
    rest = [column for column in context.columns if column.position not in long_columns]
    yield judge(sheet, replace(context, columns=rest), beside=list(long_columns.values()))


class _Judge:
    """The check of a sheet, or a part of it: the origin of each column, then the rule that each of its cells breaks.

    own_columns: headings of columns that do not come from a release. earlier_cells: the cells found in the file so far,
    each with its number and its release. beside: other columns of the sheet whose origin is known.
    """

    def __init__(
        self,
        sheet: Sheet,
        context: Context,
        atlas: Atlas,
        release: Release,
        own_columns: frozenset[str],
        earlier_cells: dict[tuple[str, Key], tuple[float, str]],
        beside: Sequence[Column] = (),
    ) -> None:
        self.sheet, self.context, self.atlas, self.own_columns = sheet, context, atlas, own_columns
        self.earlier_cells, self.beside = earlier_cells, beside
        self.k = release.k
        self.matched: list[str] = []
        self.learned: list[Learned] = []
        self.public = next((s for s in atlas.sources if s.tier == "public"), None)
        self.findings = self._run()

    def _run(self) -> list[Finding]:
        """Return the findings of the sheet."""
        columns = self.context.columns
        before: Remembered = {}
        origins = {c.position: find_origin(self.atlas, self.context, c, before) for c in columns}
        usable = [c for c in columns if origins[c.position] is not None or c.heading in self.own_columns]
        for column in columns:
            if origins[column.position] is None and column.heading not in self.own_columns:
                beside = [origin for other in usable if (origin := origins[other.position])]
                others = [other for other in (*usable, *self.beside) if other is not column]
                origin_beside = find_beside(self.atlas, self.context, column, beside)
                origins[column.position] = origin_beside or find_within(column, others)
        self.unchecked = any(origin is None for origin in origins.values())
        self._cells_of_rows = [o.keys for o in origins.values() if o is not None and o.kind == "released"]
        headings = (heading for heading in self.context.headings if heading not in self.own_columns)
        findings = [Finding("unread", self.sheet.name, heading, ()) for heading in headings]
        for column in columns:
            origin = origins[column.position]
            if origin is not None or not (column.numbers.unread.any() or (~np.isnan(column.numbers.value)).any()):
                self.matched += dict.fromkeys(wide.heading for wide in self.context.wide) or [column.heading]
            findings += self._judge(column, origin)
        return findings

    def _judge(self, column: Column, origin: Origin | None) -> Iterator[Finding]:
        """Yield the findings of a column; each of its cells is in one at most."""
        rows_of: dict[str, list[int]] = {}
        joined = self._find_joined(column, origin)
        for row in map(int, np.flatnonzero(column.numbers.present | column.numbers.unread)):
            rule = self._judge_cell(column, origin, row)
            if row in joined:  # the strictest
                rule = "joined"
            if rule and not (rule == "unknown" and self._has_unread_name(row)):
                rows_of.setdefault(rule, []).append(row)
        for rule, rows in rows_of.items():
            yield from self._report(rule, column, rows)

    def _report(self, rule: str, column: Column, rows: Iterable[int]) -> Iterator[Finding]:
        """Yield a finding about a rule for each column of the sheet from which the given rows were taken."""
        places: dict[str, list[int]] = {}
        for row in rows:
            heading = self.context.wide[row].heading if self.context.wide else column.heading
            places.setdefault(heading, []).append(int(self.sheet.cells.index[self.context.rows[row]]))
        for heading, numbers in places.items():
            yield Finding(rule, self.sheet.name, heading, tuple(numbers), (("k", self.k),))

    def _judge_cell(self, column: Column, origin: Origin | None, row: int) -> str | None:
        """Return the rule that a cell of a column breaks; None if it breaks none."""
        numbers = column.numbers
        if column.heading in self.own_columns and origin is None:
            return None
        if numbers.unread[row]:
            return "unread"
        named = self.context.areas[row] not in ("", ALL_AREAS) or not self.context.has_areas
        if not named and origin is not None and origin.kind != "table" and not origin.matched[row]:
            return self._judge_rest(column, origin, row)
        if not np.isnan(numbers.high[row]):
            # A range must contain the public number, or be the range that the public release leaves possible.
            here = [origin.measure] if origin is not None and origin.measure else self._choose_measures(column)
            return None if any(self._holds_cell(measure, column, origin, row) for measure in here) else "filled"
        if origin is None:
            # The number is noted for the attack as if it were a true count.
            value, codes = column.numbers.value[row], self.context.codes[row] | column.codes
            self._learn(self._key(column, row), value, 0.0)
            released = (key[2] for source in self.atlas.sources for cells in source.cells.values() for key in cells)
            if len(codes) > 1 and not any(codes <= key_codes for key_codes in released):
                return "crossed"
            return "zero" if value == 0 and self._hides_zero(None, column, row) else "unknown"
        if origin.kind in ("table", "figure"):
            there = None if origin.is_public else "partner_only"
            return there if origin.matched[row] else "unknown"
        if numbers.value[row] == 0 and origin.predicted[row] != 0:
            return "zero" if self._hides_zero(origin, column, row) else self._judge_other(column, origin, row)
        return self._judge_matched(origin, row) if origin.matched[row] else self._judge_other(column, origin, row)

    def _judge_matched(self, origin: Origin, row: int) -> str | None:
        """Return the rule that a number breaks if it is the one that the origin of its column predicts.

        Returns None if it breaks none.
        """
        if origin.kind in ("joined", "rest", "filled_sum"):
            return {"filled_sum": "zero"}.get(origin.kind, origin.kind)
        if origin.source is None or origin.source.tier == "public":
            return None
        key = origin.keys[row]
        public = self._public_cell(origin.measure, key)
        if origin.kind == "released" and public and origin.predicted[row] in public.numbers[: NOISY + 1]:
            return None
        cell = origin.source.cells[origin.measure].get(key)
        if cell is not None and not np.isnan(cell.amount):
            self._learn_cell(key, cell, origin.predicted[row], origin.measure)
        if origin.base[row] < self.k:
            return "small_base"
        return "hidden" if public and public.state != "number" and public.state != "class" else "partner_only"

    def _judge_other(self, column: Column, origin: Origin, row: int) -> str | None:
        """Return the rule that a number breaks if it is not the one that the origin of its column predicts.

        Returns None if the number is, or follows from, what the public tier shows for the same cell.
        """
        if origin.source is None:
            return "unknown"
        value, unit, key = column.numbers.value[row], column.numbers.unit[row], origin.keys[row]
        for source in self.atlas.sources:
            cells = source.cells.get(origin.measure, {})
            cell = cells.get(key)
            if cell is not None and any(abs(n - value) <= unit for n in cell.numbers[: NOISY + 1]):
                hidden = self._is_hidden(origin.measure, key)
                if source.tier == "public" and not hidden:
                    return None
                self._learn_cell(key, cell, value, origin.measure)
                if source.release != origin.source.release:
                    return "joined"
                return "hidden" if hidden else "partner_only"
            if any(abs(rest - value) <= unit for rest in list_rests(self.atlas, cells, key)):
                shared = None if source.tier == "public" else "partner_only"
                return "rest" if self._is_hidden(origin.measure, key) else shared
            sums = (add_up(cells, parts) for parts in self.atlas.find_parts(cells, key))
            if any(hidden and abs(filled - value) <= unit for _, filled, hidden in sums):
                return "zero"
        self._learn(key, value, 0.0, origin.measure)
        return "filled" if np.isnan(origin.predicted[row]) else "unknown"

    def _judge_rest(self, column: Column, origin: Origin, row: int) -> str | None:
        """Return the rule that a row without an area (a total, or the rest of a country) breaks, or None."""
        value, unit, codes = column.numbers.value, column.numbers.unit[row], self.context.codes[row]
        areas, periods = self.context.areas, self.context.periods
        here = [i for i, area in enumerate(areas) if area not in ("", ALL_AREAS) and not np.isnan(value[i])]
        here = [i for i in here if self.context.codes[i] == codes] or here
        here = [i for i in here if periods[i] == periods[row]] or here
        # Only the sum of the shown numbers is allowed: a larger one would tell about the hidden ones.
        if value[here].sum() == value[row] or abs(origin.predicted[here].sum() - value[row]) <= unit:
            return None
        for outer in (ALL_AREAS, *self.atlas.parts_of.get(ALL_AREAS, ())):
            _, period, codes = origin.keys[row] if origin.keys else ("", "", codes)
            cell = self._public_cell(origin.measure, (outer, period, codes))
            if cell is None or np.isnan(cell.amount):
                continue
            inside = self.atlas.parts_of.get(outer, ())
            inner = [i for i in here if areas[i] in inside]
            if abs(cell.amount - value[row]) <= unit:
                return None
            if inner and abs(cell.amount - value[inner].sum() - value[row]) <= unit:
                return "rest" if len(inside) - len(inner) < 2 or value[row] < self.k else None
        return "unknown"

    @cached_property
    def _choose_measures(self) -> Callable[[Column], list[str]]:
        """The function `_compute_measures`, cached so that each column is searched only once for all of its rows."""
        return cache(self._compute_measures)

    def _compute_measures(self, column: Column) -> list[str]:
        """Return the measures with the most cells that match a column of ranges."""
        rows = np.flatnonzero(~np.isnan(column.numbers.high))
        measures = list(self.public.cells) if self.public else []
        fits = [sum(self._holds_cell(measure, column, None, int(row)) for row in rows) for measure in measures]
        return [measure for measure, fit in zip(measures, fits, strict=True) if fit == max(fits)]

    def _holds_cell(self, measure: str, column: Column, origin: Origin | None, row: int) -> bool:
        """Return whether a range fits a public cell of its row, see `_fits_range`."""
        area, period, codes = self._key(column, row)
        keys = [(area, period, codes), (area, period, self.context.codes[row])]
        if not period:  # the table names none: then the range is about a cell from which a number of its row comes
            keys = [origin.keys[row]] if origin is not None and origin.keys else [k[row] for k in self._cells_of_rows]
        cell = next((cell for key in keys if (cell := self._public_cell(measure, key))), None)
        return cell is not None and self._fits_range(measure, cell, column, row)

    def _fits_range(self, measure: str, cell: Cell, column: Column, row: int) -> bool:
        low, high = column.numbers.low[row], column.numbers.high[row]
        if cell.state == "class":
            return (low, high) == (cell.numbers[LOW], np.inf if np.isnan(cell.numbers[HIGH]) else cell.numbers[HIGH])
        if self.public and (low, high) == self.public.find_interval(cell):
            return True
        if cell.state == "few" or (cell.state in ZEROS and measure in COUNTED):
            return bool(low == 0 and high == self.k - 1)
        margin = 0.0 if np.isnan(cell.numbers[MARGIN]) else cell.numbers[MARGIN]
        is_whole = low <= max(cell.amount - margin, 0.0) and cell.amount + margin <= high
        # A narrower one may come from a count that nobody published, unless it is a class such as 10 to 19.
        is_class = low % _CLASS == 0 and (np.isinf(high) or high % _CLASS in (0, _CLASS - 1))
        return bool(is_whole or (is_class and low <= cell.amount <= high))

    def _key(self, column: Column, row: int) -> Key:
        context = self.context
        return context.areas[row], column.period or context.periods[row], context.codes[row] | column.codes

    def _public_cell(self, measure: str, key: Key) -> Cell | None:
        return self.public.cells.get(measure, {}).get(key) if self.public else None

    def _is_hidden(self, measure: str, key: Key) -> bool:
        cell = self._public_cell(measure, key)
        return cell is not None and cell.state in ("few", "withheld")

    def _hides_zero(self, origin: Origin | None, column: Column, row: int) -> bool:
        """Return whether a 0 stands for a cell that is not released as zero, or for a result that is not known."""
        key = origin.keys[row] if origin is not None and origin.keys else self._key(column, row)
        measures = [origin.measure] if origin is not None else ["children"]
        cells = [s.cells.get(m, {}).get(key) for s in self.atlas.sources for m in measures]
        if origin is not None and origin.kind != "released" and np.isnan(origin.predicted[row]):
            return True
        states = [cell.state for cell in cells if cell is not None]
        return bool(states) and states[0] not in ("almost_none", "structural_zero")

    def _learn_cell(self, key: Key, cell: Cell, value: float, measure: str) -> None:
        """Note for the attack the interval of a count that a released number reveals.

        The noisy number has a smaller margin than the reconciled one.
        """
        noisy = value == cell.numbers[NOISY]
        reach = cell.numbers[NOISY_MARGIN if noisy else MARGIN]
        if np.isnan(reach):  # a published zero
            reach = max((source.reaches.get(cell.table, 0.0) for source in self.atlas.sources), default=0.0)
        self._learn(key, value if noisy else cell.amount, reach, measure)

    def _learn(self, key: Key, value: float, margin: float, measure: str = "children") -> None:
        """Note for the attack that a count lies within `margin` of a number; `margin` is 0 if no release has it."""
        area, period, codes = key
        breakdowns = [b for b, categories in CATEGORIES.items() if codes <= set(categories)] if len(codes) == 1 else []
        # "unknown" is a category of two breakdowns.
        has_shape = not codes or (len(codes) == 1 and measure == "children" and breakdowns and "unknown" not in codes)
        spans = self.atlas.periods
        if has_shape and measure in COUNTED and value % 1 == 0 and area in self.atlas.levels and period in spans:
            grain, level = spans[period].grain, cast("Level", self.atlas.levels[area])
            shape = TableSpec(measure, level, grain, (breakdowns[0],) if codes else ())
            low, high = int(max(0, value - margin)), int(value + margin)
            self.learned.append(Learned(shape, area, period, tuple(codes), low, high))

    def _has_unread_name(self, row: int) -> bool:
        """Return whether a row has no known area, and a cell of words in it is reported as unread: this is why."""
        words = (c for c in self.context.columns if not c.numbers.present.any() and c.heading not in self.own_columns)
        return self.context.has_areas and not self.context.areas[row] and any(c.numbers.unread[row] for c in words)

    def _find_joined(self, column: Column, origin: Origin | None) -> set[int]:
        """Return the rows that have another number of a cell than an earlier row has, from another release or tier."""
        rows: set[int] = set()
        if origin is None or origin.kind != "released" or origin.source is None:
            return rows
        for row in map(int, np.flatnonzero(origin.matched)):
            source = f"{origin.source.release} {origin.source.tier}"
            number = column.numbers.value[row]
            before = self.earlier_cells.setdefault((origin.measure, origin.keys[row]), (number, source))
            if before[1] != source and before[0] != number:
                rows.add(row)
        return rows


def _attack(opened: Sequence[Release], areas: pd.DataFrame, learned: Sequence[Learned]) -> list[str]:
    """Return, in words, the protected public cells that the learned counts narrow down more than the policy allows."""
    public = [published.read_published(release) for release in reversed(opened)]
    public = [release for release in public if release.tables and release.knowledge]
    if not public or not learned:
        return []
    attacks = [BoundsAttack.from_releases(public, areas, facts) for facts in ((), learned)]
    before, after = ({f.words for f in a.report(a.judge(a.system.solve()))} for a in attacks)
    return sorted(map(str, after - before))
