"""Count outreach days, services with their staff and capacity, and community estimates. Behind the wall.

These numbers get no noise. This module and data/restricted/publishing/published_table.py decide which of them are shown
at each level, and where only a range is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.restricted.counting.encounters import number_partners, read_codes, read_days
from data.restricted.counting.few_operators import hide_few_operators
from data.schema.column import MANY
from data.tables.grid import Grid
from data.tables.periods import Grain
from data.tables.spec import CATEGORIES, OPEN_AXES, Level, TableSpec
from data.workspace.folding import make_key
from data.workspace.types import Bools, Floats, Ints

_DECIMALS = 3  # a day in thousandths: a sum must not depend on the order of the rows
_AXES, _BEARERS, _CARRIERS, _HELP = (CATEGORIES[name] for name in ("axis", "duty_bearer", "carrier", "help"))
_OF_STATE = np.array([bearer not in ("ngo", "community") for bearer in _BEARERS])
_OPEN = np.array([axis in OPEN_AXES for axis in _AXES])


@dataclass(frozen=True, eq=False)
class Effort:
    """Outreach days, one entry per record, (n,): index in grid.names, first day (datetime64[D]), number of days.

    partner: index among the `partners` of read_effort, -1 for none.
    """

    grid: Grid
    place: Ints
    day: npt.NDArray[np.datetime64]
    amount: Floats
    partner: Ints

    def days(self, level: Level, grain: Grain) -> Floats:
        """Return the outreach days in each area and period, (areas, periods), rounded to three decimals."""
        shape = (len(self.grid.codes[level]), len(self.grid.periods(grain)))
        area, period = self.grid.area_index[level][self.place], self.grid.period_of(self.day, grain)
        inside = (area >= 0) & (period >= 0)
        cell = area[inside].astype(np.int64) * shape[1] + period[inside]
        total = np.bincount(cell, weights=self.amount[inside], minlength=shape[0] * shape[1])
        return np.asarray(np.round(total, _DECIMALS).reshape(shape))

    def from_partner(self, partner: int) -> Effort:
        """Return the outreach days of one partner."""
        rows = self.partner == partner
        return replace(
            self, place=self.place[rows], day=self.day[rows], amount=self.amount[rows], partner=self.partner[rows]
        )


def read_effort(batches: Iterable[pa.RecordBatch], grid: Grid, partners: Sequence[str] = ()) -> Effort:
    """Return the outreach days in batches with the columns date, municipality and days; with `partners` also partner.

    Raises ReleaseError for a municipality or a partner that is not known.
    """
    numbers = number_partners(partners)
    parts = [
        (
            read_codes(batch, "municipality", grid.names),
            read_days(batch, "date"),
            _read_floats(batch, "days"),
            read_codes(batch, "partner", numbers) if partners else np.full(len(batch), -1),
        )
        for batch in batches
    ] or [(np.zeros(0, np.int64), np.zeros(0, "datetime64[D]"), np.zeros(0), np.zeros(0, np.int64))]
    place, day, amount, partner = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Effort(grid, place, day, amount, partner)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of services, each array of shape (areas, periods, *categories).

    numbers: NaN if there are services but none of their numbers is known. withheld: a mask of cells with too few
    operators, or none. partial: a mask of cells whose number is a lower limit, because something may have been left
    out.
    """

    numbers: Floats
    withheld: Bools
    partial: Bools


@dataclass(frozen=True, eq=False)
class Services:
    """Services as arrays with one entry per record, (n,); staff and capacity are NaN if they are not known.

    place: index into grid.names. operator: number of the operator. axis, bearer: index into the categories. giver,
    taker: the duty bearers of a hand-over, numbered like bearer, -1 for none. end: NaT if still open. help: whether the
    service gives each kind of help of the categories, (n, kinds); none where its kinds are not known, or where one of
    them is shown in no table.
    """

    grid: Grid
    place: Ints
    operator: Ints
    axis: Ints
    bearer: Ints
    start: npt.NDArray[np.datetime64]
    end: npt.NDArray[np.datetime64]
    staff: Floats
    capacity: Floats
    giver: Ints
    taker: Ints
    help: Bools

    def table(self, spec: TableSpec, operators: int) -> Sums:
        """Return the sums of services, staff or capacity at the end of each period.

        A restricted axis is withheld if it has fewer than `operators` operators, even if it has none. For staff and
        capacity, only operators with a number above zero count, or the sum would be that of one of them. A total
        includes only the shown axes, so that no difference reveals a withheld number; it is partial if an axis is
        withheld, because the true sum may be larger. By axis and duty bearer, cells with few operators are withheld
        too. By duty bearer, carrier or kind of help alone, only the open axes count, at every level, so that no sum
        reveals which duty bearers or kinds of help work on the other axes.
        """
        grid = self.grid
        ends = np.array([p.end for p in grid.periods(spec.grain)], "datetime64[D]")
        sizes = tuple(len(CATEGORIES[name]) for name in spec.breakdown)
        values = np.zeros((len(grid.codes[spec.level]), len(ends), *sizes))
        withheld, partial = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
        adding = self._find_amounts(spec.measure) > 0
        for index, end in enumerate(ends):
            shown, allowed, complete = self._mark_shown(self._mark_active(end), adding, spec.level, operators)
            if spec.of_open_axes:
                shown &= _OPEN[self.axis]
            add_up = self._sum_by_help if spec.breakdown == ("help",) else self._sum
            values[:, index], unreported = add_up(spec, shown, sizes, end)
            partial[:, index] = unreported
            if spec.breakdown == ("axis",):
                withheld[:, index] = ~allowed
                partial[:, index] |= allowed & ~complete
            elif spec.breakdown == ("axis", "duty_bearer"):
                withheld[:, index] = self._hide_cells(spec.measure, spec.level, end, operators)
                partial[:, index] |= (allowed & ~complete)[..., None]
            elif not spec.of_open_axes:
                partial[:, index] |= ~complete.all(axis=1)
        return Sums(values, withheld, partial)

    def _find_amounts(self, measure: str) -> Floats:
        """Return what each service adds to a sum of a measure, (n,); NaN if it is not known."""
        return {"staff": self.staff, "capacity": self.capacity}.get(measure, np.ones(len(self.axis)))

    def _mark_active(self, end: np.datetime64) -> Bools:
        return (self.start <= end) & ~(self.end < end)

    def _sum(self, spec: TableSpec, shown: Bools, sizes: tuple[int, ...], end: np.datetime64) -> tuple[Floats, Bools]:
        """Return the sums of services in the mask `shown`, and a mask of incomplete sums; both (areas, *categories).

        A sum is 0 without services, and NaN if there are services but none of their numbers is known.
        """
        areas = len(self.grid.codes[spec.level])
        cell = self.grid.area_index[spec.level][self.place].astype(np.int64)
        for name, size in zip(spec.breakdown, sizes, strict=True):
            codes = self._find_carriers(end) if name == "carrier" else self.axis if name == "axis" else self.bearer
            cell = cell * size + codes
        amount = self._find_amounts(spec.measure)
        size = areas * int(np.prod(sizes))
        known = shown & ~np.isnan(amount)
        total = np.bincount(cell[known], weights=amount[known], minlength=size)
        silent = np.bincount(cell[shown], minlength=size) > np.bincount(cell[known], minlength=size)
        unknown = silent & (np.bincount(cell[known], minlength=size) == 0)
        return np.where(unknown, np.nan, total).reshape(areas, *sizes), silent.reshape(areas, *sizes)

    def _sum_by_help(
        self, spec: TableSpec, shown: Bools, _sizes: tuple[int, ...], end: np.datetime64
    ) -> tuple[Floats, Bools]:
        """Return the sums of `_sum` by kind of help: a service adds to each kind that it gives.

        Where a service has none, every sum is incomplete, and NaN if it is 0. So a reader does not learn whether that
        service is a shelter or has no kind on record.
        """
        total = replace(spec, breakdown=())
        parts = [self._sum(total, shown & gives, (), end) for gives in self.help.T]
        numbers, silent = (np.stack(part, axis=-1) for part in zip(*parts, strict=True))
        area = self.grid.area_index[spec.level][self.place[shown & ~self.help.any(axis=1)]]
        unknown = np.isin(np.arange(len(numbers)), area)[:, None]
        return np.where(unknown & (numbers == 0), np.nan, numbers), silent | unknown

    @cached_property
    def _find_carriers(self) -> Callable[[np.datetime64], Ints]:
        """The function `_compute_carriers`, cached so that each day is computed once for all tables."""
        return cache(self._compute_carriers)

    def _compute_carriers(self, end: np.datetime64) -> Ints:
        """Return who carries each service at the end of a day, (n,), as an index into the categories of `carrier`.

        If both duty bearers of a hand-over, in one municipality and on one axis, have a service at the same time, both
        services count as shared.
        """
        active = self._mark_active(end)
        task = np.stack([self.place, self.axis, self.giver, self.taker], axis=1)
        _, number = np.unique(task, axis=0, return_inverse=True)
        moves = (self.giver >= 0) & (self.taker >= 0) & (_OF_STATE[self.giver] != _OF_STATE[self.taker])
        gives, takes = moves & (self.bearer == self.giver), moves & (self.bearer == self.taker)
        both = np.isin(number, number[active & gives]) & np.isin(number, number[active & takes])
        carrier = np.where(_OF_STATE[self.bearer], _CARRIERS.index("state"), _CARRIERS.index("partner"))
        carrier[takes & _OF_STATE[self.taker]] = _CARRIERS.index("handed_over")
        carrier[takes & ~_OF_STATE[self.taker]] = _CARRIERS.index("returned")
        carrier[both & (gives | takes)] = _CARRIERS.index("shared")
        return np.asarray(carrier, np.int64)

    @cached_property
    def _hide_cells(self) -> Callable[[str, Level, np.datetime64, int], Bools]:
        """The function `_compute_hidden_cells`, cached so that each measure, level and day is computed once."""
        return cache(self._compute_hidden_cells)

    def _compute_hidden_cells(self, measure: str, level: Level, end: np.datetime64, operators: int) -> Bools:
        """Return a mask of the cells to withhold, so that sums reveal no cell with few operators.

        Its shape is (areas, axes, duty bearers).
        """
        adding = self._find_amounts(measure) > 0
        shown, allowed, _complete = self._mark_shown(self._mark_active(end), adding, level, operators)
        area = self.grid.area_index[level][self.place]
        hidden = np.zeros((*allowed.shape, len(_BEARERS)), bool)
        hidden[:, ~_OPEN] = True
        for number, axis in np.argwhere(allowed & ~_OPEN):
            cells = [set[int]() for _ in _BEARERS]
            for row in np.flatnonzero(shown & adding & (area == number) & (self.axis == axis)):
                cells[self.bearer[row]].add(int(self.operator[row]))
            hidden[number, axis] = hide_few_operators(cells, operators)
        return hidden

    def _mark_shown(self, active: Bools, adding: Bools, level: Level, operators: int) -> tuple[Bools, Bools, Bools]:
        """Return three masks: services to count at a level; sums that are shown; shown sums that are complete.

        active, adding: the services that work, and those with a known number above zero, both (n,). The masks have the
        shapes (n,), (areas, axes) and (areas, axes). A complete sum lacks nothing, so it must not depend on anything
        that is not shown.
        """
        area = self.grid.area_index[level][self.place]
        present = active & (area >= 0)
        enough = np.tile(_OPEN, (len(self.grid.codes[level]), 1))
        if level == "municipality":
            return present & _OPEN[self.axis], enough, enough
        if level == "country":
            return self._mark_shown_in_country(present, adding, area, enough, operators)
        enough |= self._count_operators(present & adding, area, len(enough)) >= operators
        return present & enough[area, self.axis], enough, enough

    def _mark_shown_in_country(
        self, present: Bools, adding: Bools, area: npt.NDArray[np.int32], enough: Bools, operators: int
    ) -> tuple[Bools, Bools, Bools]:
        """Return the masks of `_mark_shown` for countries.

        Services that a region shows are counted, and the others of a country if they have enough operators.

        A reader must not see whether there are other services with too few operators. If these have too few
        operators, a country is complete only if each of its regions shows the axis.
        """
        in_region, regions, _ = self._mark_shown(present, adding, "region", operators)
        rest = present & ~in_region
        beyond = self._count_operators(rest & adding, area, len(enough)) >= operators
        shown = in_region | (rest & beyond[area, self.axis])
        country = self.grid.area_index["country"][[self.grid.names[code] for code in self.grid.codes["region"]]]
        everywhere = np.ones(enough.shape, bool)
        np.logical_and.at(everywhere, country, regions)
        complete = enough | beyond | everywhere
        enough |= self._count_operators(shown & adding, area, len(enough)) >= operators
        return shown & enough[area, self.axis], enough, enough & complete

    def _count_operators(self, chosen: Bools, area: npt.NDArray[np.int32], areas: int) -> Ints:
        """Count the different operators of each area and axis, shape (areas, axes)."""
        rows = np.stack([area[chosen].astype(np.int64), self.axis[chosen], self.operator[chosen]], axis=1)
        distinct = np.unique(rows, axis=0)
        cell = distinct[:, 0] * len(_AXES) + distinct[:, 1]
        return np.bincount(cell, minlength=areas * len(_AXES)).reshape(areas, len(_AXES))


def read_services(batches: Iterable[pa.RecordBatch], grid: Grid) -> Services:
    """Return the services in batches that have the canonical columns of services.

    Raises ReleaseError for a municipality or category that is not known.
    """
    lookups = {
        "municipality": grid.names,
        "axis": {c: i for i, c in enumerate(_AXES)},
        "duty_bearer": {c: i for i, c in enumerate(_BEARERS)},
        **{name: {"": -1, **{c: i for i, c in enumerate(_BEARERS)}} for name in ("handed_from", "handed_to")},
    }
    rows: dict[str, list[npt.NDArray[np.generic]]] = {}
    operators: list[str] = []
    kinds: list[set[str]] = []
    for batch in batches:
        for name, lookup in lookups.items():
            rows.setdefault(name, []).append(read_codes(batch, name, lookup))
        for name in ("valid_from", "valid_to"):
            rows.setdefault(name, []).append(read_days(batch, name))
        for name in ("staff", "capacity"):
            rows.setdefault(name, []).append(_read_floats(batch, name))
        # Greek capitals have no accents. Two spellings must not make two operators, of whom too few are withheld.
        operators += [make_key(str(text)) for text in batch.column("operator").to_pylist()]
        kinds += [set(str(text).split(MANY)) for text in batch.column("help").to_pylist()]
    _, operator = np.unique(np.array(operators, dtype=object).astype(str), return_inverse=True)
    empty = {"valid_from": "datetime64[D]", "valid_to": "datetime64[D]", "staff": "f8", "capacity": "f8"}
    names = (*lookups, *empty)
    column = {n: np.concatenate(rows[n]) if n in rows else np.zeros(0, empty.get(n, "i8")) for n in names}
    return Services(
        grid,
        column["municipality"].astype(np.int64),
        operator.astype(np.int64),
        column["axis"].astype(np.int64),
        column["duty_bearer"].astype(np.int64),
        column["valid_from"].astype("datetime64[D]"),
        column["valid_to"].astype("datetime64[D]"),
        column["staff"].astype(np.float64),
        column["capacity"].astype(np.float64),
        column["handed_from"].astype(np.int64),
        column["handed_to"].astype(np.int64),
        np.array([[{kind} <= listed <= {*_HELP} for kind in _HELP] for listed in kinds], bool).reshape(-1, len(_HELP)),
    )


@dataclass(frozen=True, eq=False)
class Estimates:
    """Community estimates, one entry per record, (n,).

    area: index in grid.names. group: index in CATEGORIES["group"]. number: of people.
    """

    grid: Grid
    area: Ints
    group: Ints
    number: Ints
    year: Ints

    def range(self, spec: TableSpec) -> tuple[Floats, Floats]:
        """Return the smallest and the largest estimate for each period, each (areas, periods, groups); NaN if none.

        These are estimates of the latest year that has any, up to the year in which the period ends.

        An estimate is valid for its own area only; estimates of parts are not added up, because they may be incomplete.
        """
        grid = self.grid
        periods = grid.periods(spec.grain)
        shape = (len(grid.codes[spec.level]), len(periods), len(CATEGORIES["group"]))
        low, high = np.full(shape, np.nan), np.full(shape, np.nan)
        level = grid.areas["level"].to_numpy()[self.area] == spec.level
        for index, period in enumerate(periods):
            rows = np.flatnonzero(level & (self.year <= period.end.year))
            latest = np.full((shape[0], shape[2]), -1, np.int64)
            area, group = grid.area_index[spec.level][self.area[rows]], self.group[rows]
            np.maximum.at(latest, (area, group), self.year[rows])
            newest = self.year[rows] == latest[area, group]
            cell = (area[newest], index, group[newest])
            np.fmin.at(low, cell, self.number[rows][newest])
            np.fmax.at(high, cell, self.number[rows][newest])
        return low, high


def read_communities(batches: Iterable[pa.RecordBatch], grid: Grid) -> Estimates:
    """Return the community estimates in batches with the columns area, group, estimate and year.

    Raises ReleaseError for an area or group that is not known.
    """
    groups = {c: i for i, c in enumerate(CATEGORIES["group"])}
    rows: list[list[npt.NDArray[np.generic]]] = [
        [
            read_codes(b, "area", grid.names),
            read_codes(b, "group", groups),
            _read_floats(b, "estimate"),
            _read_floats(b, "year"),
        ]
        for b in batches
    ] or [[np.zeros(0)] * 4]
    area, group, number, year = (np.concatenate(c).astype(np.int64) for c in zip(*rows, strict=True))
    return Estimates(grid, area, group, number, year)


def _read_floats(batch: pa.RecordBatch, name: str) -> Floats:
    values = batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64)
