"""Where the numbers of a column come from: released cells, or what can be computed from them.

Each candidate predicts the number of every row. The candidate that is right in the most rows is the origin of the
column. If several are equal, the first one counts; candidates of the public tier come before those of the partner tier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.disclosure.table_check.cells import (
    CLASSES,
    HIGH,
    LOW,
    LOWER,
    MARGIN,
    MEDIAN,
    NOISY,
    NOISY_MARGIN,
    UPPER,
    VALUE,
    Atlas,
    Cell,
    Key,
    Source,
    add_up,
)
from data.disclosure.table_check.context import ALL_AREAS, Column, Context
from data.tables.spec import COUNTED
from data.workspace.types import Bools, Floats

Kind = Literal["released", "sum", "filled_sum", "change", "share", "rate", "rest", "joined", "figure", "table"]
_SHARES = (1.0, 100.0)
_RATES = (1.0, 100.0, 1e3, 1e4, 1e5)
_TIMES = (2, 3, 4, 12)  # by which a sum is divided for a mean
_SURER = 1.5  # digits that must agree beyond those that agree by chance after so many tries
_LEAST: Mapping[str, float] = {"released": 0.5, "figure": 0.95}  # share of the rows that an origin must explain
_LEAST_DERIVED = 0.75
_SAMPLE = 40  # rows on which candidates are tried first


@dataclass(frozen=True, eq=False)
class Origin:
    """The origin of a column: kind and source, and for each row the predicted number and whether the column has it.

    source: None for numbers computed from the table itself. keys: the cell of each row. base: the count by which a
    share, change or rate is divided; NaN for other numbers, and empty if `source` is None.
    """

    kind: Kind
    source: Source | None
    predicted: Floats
    matched: Bools
    measure: str = ""
    keys: Sequence[Key] = ()
    base: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def is_public(self) -> bool:
        """Whether everybody can compute the numbers."""
        return self.source is None or self.source.tier == "public"


@dataclass(eq=False)
class _Candidate:
    kind: Kind
    predicted: Floats
    scales: Sequence[float] = (1.0,)
    base: Floats | None = None
    choices: Floats | None = None  # among how many numbers that of each row was chosen


# The candidates of each source and kind, with measure, number and cells of those that are listed together.
_Listed = list[tuple[str, int, list[Key], list[_Candidate]]]
Remembered = dict[tuple[object, ...], _Listed]


def find_origin(atlas: Atlas, context: Context, column: Column, before: Remembered) -> Origin | None:
    """Return the origin of a column of numbers; None if no candidate predicts enough rows, or if all numbers are zero.

    before: the candidates of the previous column, which are used again if rows, period and categories are the same,
    and otherwise replaced.
    """
    rows = np.flatnonzero(~np.isnan(column.numbers.value) & (column.numbers.value != 0))
    if not len(rows):
        return None
    units = [column.numbers.unit]
    values = np.abs(column.numbers.value[rows])
    rounded = [step for step in (100.0, 10.0, 5.0) if np.allclose(values % step, 0)]
    if rounded and len(set(values)) > 2:
        units.append(np.full(context.size, rounded[0] / 2))
    few = rows[np.unique(np.linspace(0, len(rows) - 1, _SAMPLE).astype(int))]
    about = few.tobytes(), column.period, column.codes
    if any(key[: len(about)] != about for key in before):
        before.clear()
    for unit in units:
        numbers = column.numbers.take(few)
        sample = _Search(atlas, context.take(few), replace(column, numbers=numbers), unit[few], about, before)
        if sample.run() is not None:
            return _Search(atlas, context, column, unit).repeat(sample)
    return None


@dataclass(eq=False)
class _Search:
    atlas: Atlas
    context: Context
    column: Column
    unit: Floats
    about: tuple[object, ...] = ()
    listed: Remembered = field(default_factory=dict)
    best: Origin | None = None
    tried: int = 0
    found_by: tuple[Source, str, str, int] | None = None  # which candidates the best one is among

    def repeat(self, other: _Search) -> Origin | None:
        """Try on all rows the candidates among which another search found the origin; return the best, or None."""
        if other.found_by is not None:
            source, name, measure, number = other.found_by
            if name == "figure":
                self._try(self._find_figures(source), source, "", (), other.found_by)
            else:
                keys = list(self._list_keys(source.cells[measure], measure))[number]
                for candidate in getattr(self, name)(source, measure, keys):
                    self._try(candidate, source, measure, keys, other.found_by)
        return self.best

    def run(self) -> Origin | None:
        newest: dict[str, Source] = {}
        for source in self.atlas.sources:
            newest.setdefault(source.tier, source)
        for source in newest.values():
            if self._search(source, self._list_released):
                return self.best
            if self.best is None and self.context.has_areas:
                self._try(self._find_figures(source), source, "", (), (source, "figure", "", 0))
            if self._search(source, self._list_derived):
                return self.best
        for source in self.atlas.sources:
            if self._search(source, self._list_joined) or self._search(source, self._list_released):
                return self.best
        return self.best

    def run_beside(self, origins: Sequence[Origin]) -> Origin | None:
        """Return the origin that fits best among the numbers of the cells of other columns; None if none fits.

        `origins`: those of the other columns.
        """
        for origin in origins:
            if origin.kind == "released" and origin.source is not None:
                by = (origin.source, self._list_released.__name__, origin.measure, 0)
                for candidate in self._list_released(origin.source, origin.measure, list(origin.keys)):
                    self._try(candidate, origin.source, origin.measure, origin.keys, by)
        return self.best

    def _search(self, source: Source, list_candidates: Callable[..., Iterator[_Candidate]]) -> bool:
        """Try the candidates of a source; return whether one predicts every number that is not zero."""
        name = list_candidates.__name__
        place = (*self.about, source.tier, source.release, name)
        if place not in self.listed:
            self.listed[place] = [
                (measure, number, keys, list(list_candidates(source, measure, keys)))
                for measure, cells in source.cells.items()
                for number, keys in enumerate(self._list_keys(cells, measure))
                if any(key in cells for key in keys)
            ]
        for measure, number, keys, candidates in self.listed[place]:
            for candidate in candidates:
                self._try(candidate, source, measure, keys, (source, name, measure, number))
        return self.best is not None and self._is_whole(self.best)

    def _is_whole(self, origin: Origin) -> bool:
        """Return whether an origin predicts every number that is not zero."""
        value = self.column.numbers.value
        return bool(origin.matched[~np.isnan(value) & (value != 0)].all())

    def _list_keys(self, cells: Mapping[Key, Cell], measure: str) -> Iterator[list[Key]]:
        """Yield each list of cells that the rows may mean, a cell for each row.

        An area, period or category that the table does not name may be any one, the same in all rows.
        """
        context, column = self.context, self.column
        areas = [""] if context.has_areas else [ALL_AREAS, *self.atlas.parts_of.get(ALL_AREAS, ())]
        has_period = bool(column.period) or any(context.periods)
        periods = [""] if has_period else sorted({key[1] for key in cells}, reverse=True)
        all_codes = frozenset[str]().union(*(key[2] for key in cells))
        more = [column.codes] if column.codes and column.codes <= all_codes else []
        more += dict.fromkeys([frozenset[str](), *(key[2] for key in cells)])
        # Outreach and services in a row about a category are those of all categories; a count is that of its category.
        row_codes = context.codes if measure in COUNTED else [codes & all_codes for codes in context.codes]
        here = list(zip(context.areas, context.periods, row_codes, strict=True))
        for codes in more:
            for period in periods:
                for area in areas:
                    yield [(a or area, column.period or p or period, c | codes) for a, p, c in here]

    def _list_released(self, source: Source, measure: str, keys: list[Key]) -> Iterator[_Candidate]:
        cells = source.cells[measure]
        yield _Candidate("released", _amounts(cells, keys))
        results = (MEDIAN, LOWER, UPPER) if measure in CLASSES else ()
        for number in (NOISY, MARGIN, NOISY_MARGIN, LOW, HIGH, *results):
            yield _Candidate("released", _numbers(cells, keys, number))
        for number, reach in ((VALUE, MARGIN), (NOISY, NOISY_MARGIN)):  # the ends of what is possible
            middle, margin = _numbers(cells, keys, number), _numbers(cells, keys, reach)
            yield _Candidate("released", np.maximum(middle - margin, 0))
            yield _Candidate("released", middle + margin)
        if measure in COUNTED:
            for ends in zip(*(source.find_interval(cells.get(key)) for key in keys), strict=True):
                yield _Candidate("released", np.array(ends, float))

    def _list_derived(self, source: Source, measure: str, keys: list[Key]) -> Iterator[_Candidate]:
        cells, atlas = source.cells[measure], self.atlas
        if measure not in COUNTED or any(code in atlas.levels for code in keys[0][2]):
            return
        for number in (VALUE, NOISY):
            amounts = _amounts(cells, keys, number)
            if np.isnan(amounts).all():
                return
            earlier = [atlas.list_earlier_periods(p) or [""] for _, p, _ in keys]
            for place in (-1, 0):  # the period before, and the first
                before = _amounts(cells, [(a, e[place], c) for (a, _, c), e in zip(keys, earlier, strict=True)], number)
                yield _Candidate("change", amounts - before)
                yield _Candidate("sum", amounts + before)
                yield _Candidate("change", _divide(amounts, before) - 1, _SHARES, before)
                yield _Candidate("change", _divide(amounts, before), _SHARES, before)
            wider = (
                [(a, p, frozenset[str]()) for a, p, _ in keys],
                [(atlas.parents.get(a) or ALL_AREAS, p, c) for a, p, c in keys],
                [(atlas.parents.get(atlas.parents.get(a, "")) or ALL_AREAS, p, c) for a, p, c in keys],
                [(ALL_AREAS, p, c) for _, p, c in keys],
                [(a, atlas.find_longer_period(p) or "", c) for a, p, c in keys],
            )
            for outer in wider:
                whole = _amounts(cells, outer, number)
                yield _Candidate("share", _divide(amounts, whole), _SHARES, whole)
            for turn in range(3):
                people = [find_population(source, a, turn) for a, _, _ in keys]
                yield _Candidate("rate", _divide(amounts, np.array(people)), _RATES)
            days = _amounts(source.cells.get("effort", {}), [(a, p, frozenset()) for a, p, _ in keys])
            yield _Candidate("rate", _divide(amounts, days), _RATES, amounts)
        yield from self._list_sums(cells, keys)

    def _list_sums(self, cells: Mapping[Key, Cell], keys: list[Key]) -> Iterator[_Candidate]:
        sets = [list(self.atlas.find_parts(cells, key)) for key in keys]
        for place in range(max(map(len, sets), default=0)):
            sums = np.array([add_up(cells, s[place])[:2] if place < len(s) else (np.nan, np.nan) for s in sets])
            yield _Candidate("sum", sums[:, 0])
            yield _Candidate("filled_sum", np.where(np.isnan(sums[:, 0]), sums[:, 1], np.nan))
        if np.isnan(_amounts(cells, keys)).any():
            for rests in zip(*(list_rests(self.atlas, cells, key) for key in keys), strict=True):
                yield _Candidate("rest", np.array(rests))
        if keys[0][2]:
            return
        for first, second in permutations(sorted({c for k in keys[:1] for c in self._siblings(cells, k)}), 2):
            a, b = (_amounts(cells, [(k[0], k[1], frozenset({code})) for k in keys]) for code in (first, second))
            if first < second:
                yield _Candidate("sum", a + b)
            yield _Candidate("change", a - b)
            yield _Candidate("share", _divide(a, b), _SHARES, b)

    def _siblings(self, cells: Mapping[Key, Cell], key: Key) -> Iterator[str]:
        for other in self.atlas.categories_of(cells, key[0], key[1]):
            yield next(iter(other[2]))

    def _list_joined(self, source: Source, measure: str, keys: list[Key]) -> Iterator[_Candidate]:
        """Yield means and differences of two noisy numbers of the same cells, from two releases or two tiers."""
        here = source.cells[measure]
        for other in self.atlas.sources:
            there = other.cells.get(measure, {})
            if other is source or not any(key in there for key in keys):
                continue
            for number in (VALUE, NOISY):
                a, b = _amounts(here, keys, number), _amounts(there, keys, number)
                differs = a != b
                yield _Candidate("joined", np.where(differs, a - b, np.nan))
                yield _Candidate("joined", np.where(differs, (a + b) / 2, a))

    def _find_figures(self, source: Source) -> _Candidate:
        """Return the nearest published figure or result of the area of each row."""
        value, predicted = self.column.numbers.value, np.full(self.context.size, np.nan)
        choices = np.ones(self.context.size)
        for row in np.flatnonzero(~np.isnan(value)):
            figures = np.array(sorted(source.figures.get(self.context.areas[row], ())))
            if len(figures):
                predicted[row], choices[row] = figures[np.abs(figures - value[row]).argmin()], len(figures)
        return _Candidate("figure", predicted, choices=choices)

    def _try(
        self, candidate: _Candidate, source: Source, measure: str, keys: Sequence[Key], by: tuple[Source, str, str, int]
    ) -> None:
        value = self.column.numbers.value
        rows = ~np.isnan(value) & (value != 0)
        before = 0 if self.best is None else int((self.best.matched & rows).sum())
        for scale in candidate.scales:
            predicted, self.tried = candidate.predicted * scale, self.tried + 1
            with np.errstate(invalid="ignore"):
                matched = np.abs(predicted - value) <= self.unit * 1.001 + 1e-9
            count = int((matched & rows).sum())
            if count > before and self._explains(candidate, matched & rows, rows):
                base = np.full(len(value), np.nan) if candidate.base is None else candidate.base
                self.best, before = Origin(candidate.kind, source, predicted, matched, measure, keys, base), count
                self.found_by = by

    def _explains(self, candidate: _Candidate, matched: Bools, rows: Bools) -> bool:
        least = _LEAST.get(candidate.kind, _LEAST_DERIVED) * rows.sum()
        choices = 1 if candidate.choices is None else candidate.choices[matched]
        value, unit = self.column.numbers.value[matched], self.unit[matched]
        return bool(matched.sum() >= least and _is_beyond_chance(value, unit, self.tried, choices))


def _is_beyond_chance(value: Floats, unit: Floats, tried: int, choices: Floats | int = 1) -> bool:
    """Return whether numbers have too many digits to agree by chance with one of `tried` candidates.

    unit: half a unit of the last decimal of each number. choices: among how many numbers each was chosen.
    """
    digits = np.log10((1 + np.abs(value) / (2 * unit)) / choices)
    return bool(digits.sum() >= np.log10(tried) + _SURER)


def list_rests(atlas: Atlas, cells: Mapping[Key, Cell], key: Key) -> tuple[float, float, float]:
    """Return three differences, each a total minus its other parts; NaN for one that cannot be computed.

    The totals are those of the larger area, of the longer period and of all categories that contain the cell.
    """
    area, period, codes = key
    parent, wide = atlas.parents.get(area) or ALL_AREAS, atlas.find_longer_period(period) or ""
    beside = [(other, period, codes) for other in atlas.parts_of.get(parent, ()) if other != area]
    times = [(area, other, codes) for other in atlas.periods_within.get(wide, ()) if other != period]
    table = cells[key].table if key in cells else ""
    kinds = [
        other for other in atlas.categories_of(cells, area, period) if cells[other].table == table and other != key
    ]
    pairs = (((parent, period, codes), beside), ((area, wide, codes), times), ((area, period, frozenset[str]()), kinds))
    rests = [
        _amounts(cells, [whole])[0] - add_up(cells, others)[0] if others and codes_fit else np.nan
        for (whole, others), codes_fit in zip(pairs, (True, True, bool(codes)), strict=True)
    ]
    return rests[0], rests[1], rests[2]


def find_beside(atlas: Atlas, context: Context, column: Column, origins: Sequence[Origin]) -> Origin | None:
    """Return the origin of a column whose numbers all belong to the cells of a column beside it; else None.

    origins: those of the columns beside it. An example is the upper end of a range. It has few numbers, which would
    agree with some cells by chance if all cells were tried.
    """
    origin = _Search(atlas, context, column, column.numbers.unit).run_beside(origins)
    return origin if origin is not None and origin.matched[~np.isnan(column.numbers.value)].all() else None


def find_within(column: Column, others: Sequence[Column]) -> Origin | None:
    """Return the origin of a column that is computed from other columns of the same table; None if it is not."""
    value, unit = column.numbers.value, column.numbers.unit
    rows = ~np.isnan(value)
    for tried, predicted in enumerate(_compute_within([other.numbers.value for other in others]), 1):
        with np.errstate(invalid="ignore"):
            matched = np.abs(predicted - value) <= unit * 1.001 + 1e-9
        matched &= rows
        if matched.sum() >= max(2, 0.95 * rows.sum()) and _is_beyond_chance(value[matched], unit[matched], tried):
            return Origin("table", None, predicted, matched)
    return None


def _compute_within(columns: Sequence[Floats]) -> Iterator[Floats]:
    """Yield columns, (rows,), that can be computed from the given columns, in this order.

    Row numbers. Of each column: running sums, ranks from below, ranks from above. Of each two: differences and sums.
    The sum of all. Of each column: shares, running shares, an index that is 1 or 100 in the first row, and the number
    divided by 2, 3, 4 and 12 for means. Of each two: ratios and relative differences.
    """
    for a in columns[:1]:
        yield np.arange(1.0, len(a) + 1)
    for a in columns:
        ranking = np.sort(a[~np.isnan(a)])
        yield np.asarray(np.nancumsum(a), np.float64)
        yield np.where(np.isnan(a), np.nan, np.searchsorted(ranking, a) + 1)
        yield np.where(np.isnan(a), np.nan, len(ranking) - np.searchsorted(ranking, a, side="right") + 1)
    for a, b in permutations(columns, 2):
        yield a - b
        yield a + b
    if len(columns) > 2:
        yield np.asarray(np.sum(columns, axis=0), np.float64)
    for a in columns:
        yield from (_divide(a, np.full(len(a), np.nansum(a))) * scale for scale in _SHARES)
        yield from (_divide(np.nancumsum(a), np.full(len(a), np.nansum(a))) * scale for scale in _SHARES)
        yield from (_divide(a, np.full(len(a), a[0])) * scale for scale in _SHARES)
        yield from (a / times for times in _TIMES)
    for a, b in permutations(columns, 2):
        yield from (_divide(a, b) * scale for scale in _RATES)
        yield from ((_divide(a, b) - 1) * scale for scale in _SHARES)


def find_population(source: Source, area: str, turn: int) -> float:
    """Return the population figure of an area at the position `turn` (from 0) in the table; NaN if there is none."""
    figures = source.populations.get(area, [])
    return figures[turn] if turn < len(figures) else np.nan


def _amounts(cells: Mapping[Key, Cell], keys: Sequence[Key], number: int = VALUE) -> Floats:
    """Return the numbers of cells for sums, (keys,); NaN if no number is shown.

    number: which of the numbers of a cell. Only as VALUE is a published zero 0.
    """
    row_cells = [cells.get(key) for key in keys]
    if number == VALUE:
        return np.array([np.nan if cell is None else cell.amount for cell in row_cells], float)
    return _numbers(cells, keys, number)


def _numbers(cells: Mapping[Key, Cell], keys: Sequence[Key], number: int) -> Floats:
    row_cells = [cells.get(key) for key in keys]
    return np.array([np.nan if cell is None else cell.numbers[number] for cell in row_cells], float)


def _divide(a: Floats, b: npt.ArrayLike) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.asarray(a) / np.asarray(b, float)
    return np.where(np.isfinite(quotient), quotient, np.nan)
