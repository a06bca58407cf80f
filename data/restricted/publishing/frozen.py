"""Published numbers are repeated for ever.

A block contains all numbers of one area and period. Its noise is drawn once, when the period is first published. Every
later release repeats it, even if the records have changed. A quarter may be published twice: first as provisional, and
then, when its year is final, as another block with new noise in all cells under another salt, changed or not. So no
decision about what is published depends on which children changed. A cell that was withheld stays withheld.

A table that the plan did not have when a period was drawn stays withheld in that period if tables with its salt were
drawn. It would have their noise, but count the records of a later day. Where two numbers are about the same children,
they would differ only if a child came or went.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from data.disclosure.cell_key import salt_of
from data.disclosure.policy import Policy
from data.restricted.publishing.book import Book
from data.restricted.publishing.published_table import CellMasks
from data.restricted.vault.blocks import Block
from data.tables.grid import Grid
from data.tables.periods import Calendar, Period
from data.tables.spec import MAY_HOLD, Plan, TableSpec, Tier, is_sum_of_years
from data.workspace.types import Bools, Ints


@dataclass(frozen=True, eq=False)
class Frozen:
    """The noisy numbers of a release, with published numbers repeated, and the book that has them.

    numbers: by table, shape (areas, periods, *categories). late: masks, (areas, periods), of what was not drawn,
    because the plan did not have the table when the period was drawn.
    """

    grid: Grid
    numbers: Mapping[TableSpec, Ints]
    book: Book
    late: CellMasks

    def withheld(self, spec: TableSpec, tier: Tier) -> Bools:
        """Return a mask of the cells of a table that were withheld in an earlier release, or came too late for one."""
        shape = self.numbers[spec].shape
        flat = np.repeat(self.late[spec][:, :, None], int(np.prod(shape[2:])), axis=2)
        for name, area, period in _list_blocks(spec, self.grid):
            for entry in self.book.open(name).withheld.get(tier, ()):
                table, _, cell = entry.partition("/")
                if table == _table_key(spec) and int(cell) < flat.shape[2]:
                    flat[area, period, int(cell)] = True
        return flat.reshape(shape)

    def note_withheld(self, cells: Mapping[Tier, CellMasks]) -> None:
        """Write the cells that are now withheld, by tier and table, into the book."""
        for tier, masks in cells.items():
            for spec, mask in masks.items():
                flat = mask.reshape(*mask.shape[:2], int(np.prod(mask.shape[2:])))
                for name, area, period in _list_blocks(spec, self.grid):
                    entries = [f"{_table_key(spec)}/{cell}" for cell in np.flatnonzero(flat[area, period])]
                    self.book.withhold(name, tier, entries)


def freeze(noisy: Mapping[TableSpec, Ints], book: Book, grid: Grid, plan: Plan, policy: Policy) -> Frozen:
    """Return the newly drawn values, replaced by published ones where there are any; the book gets the new ones.

    `noisy` has the newly drawn values, by table, shape (areas, periods, *categories). They are kept where nothing was
    published. A counted table of the whole programme has a value for each year in `noisy`: it becomes the sum of its
    years, each drawn when it was final. The sum of published years is never drawn (`is_sum_of_years`). policy: has the
    threshold of municipalities.
    """
    drawn = _list_drawn(book.published, grid)
    numbers, late = dict[TableSpec, Ints](), CellMasks()
    for spec, values in noisy.items():
        blocks = (_list_parts if spec.counted and spec.grain == "whole" else _list_blocks)(spec, grid)
        numbers[spec], late[spec] = _settle(book, spec, values, blocks, drawn, grid.calendar)
    for spec, total in sum_years(numbers, plan, grid, policy).items():
        source = replace(spec, grain="year") if is_sum_of_years(spec, plan) else spec
        late[spec] = np.asarray(late[source].any(axis=1, keepdims=True))[:, : total.shape[1]]
        summed = np.where(late[spec].reshape(*late[spec].shape, *[1] * (total.ndim - 2)), 0, total)
        numbers[spec], _ = _settle(book, spec, summed, _list_blocks(spec, grid), drawn, grid.calendar)
    return Frozen(grid, numbers, book, late)


def _settle(
    book: Book,
    spec: TableSpec,
    values: Ints,
    blocks: Iterable[tuple[str, int, int]],
    drawn: set[tuple[str, str]],
    calendar: Calendar,
) -> tuple[Ints, Bools]:
    """Return the values with published ones in their place, and a mask of what came too late, (areas, periods).

    blocks: as `_list_blocks` yields them. drawn: as `_list_drawn` returns it. Years that are summed never come too
    late.
    """
    values, late = values.copy(), np.zeros(values.shape[:2], bool)
    key, may_be_late = _table_key(spec), spec.counted and spec.grain != "whole"
    for name, area, period in blocks:
        cells = values[area, period, ...]
        is_drawn = may_be_late and (salt_of(spec), _find_time(name, calendar)) in drawn
        if is_drawn and not book.has(name, key, cells.size):
            values[area, period, ...], late[area, period] = 0, True
        else:
            values[area, period, ...] = np.reshape(book.repeat(name, key, cells.ravel().tolist()), cells.shape)
    return values, late


def sum_years(numbers: Mapping[TableSpec, Ints], plan: Plan, grid: Grid, policy: Policy) -> dict[TableSpec, Ints]:
    """Return the numbers of each counted table of the whole programme: sums over years, (areas, periods, *categories).

    There is no period before the end of the programme. `numbers`: of tables of years, and of the tables of the whole
    programme that have numbers of years of their own, (areas, years, *categories). A sum of published years has only
    the numbers that partners see, because with the others it would say what a year hides.
    """
    years = {spec: values for spec, values in numbers.items() if spec.counted and spec.grain == "whole"}
    for spec in _list_wholes(plan):
        if is_sum_of_years(spec, plan):
            values = numbers[replace(spec, grain="year")]
            years[spec] = np.where(values < policy.threshold("partner", spec.level), 0, values)
    ended = len(grid.periods("whole"))
    return {spec: values.sum(axis=1, keepdims=True)[:, :ended] for spec, values in years.items()}


def _list_wholes(plan: Plan) -> list[TableSpec]:
    """List the counted tables of the whole programme that a release needs, each once."""
    counted = [spec for tier in plan for spec in plan[tier] if spec.counted and spec.grain == "whole"]
    totals = [TableSpec("children", spec.level, "whole") for spec in counted]
    return list(dict.fromkeys([*counted, *totals]))


def _list_drawn(published: Mapping[str, bytes], grid: Grid) -> set[tuple[str, str]]:
    """Return the salts of tables, each with the times whose numbers were drawn with it before.

    The salt of detailed tables counts as drawn wherever any table was.
    """
    drawn: set[tuple[str, str]] = set()
    for name, blob in published.items():
        family, _, rest = name.removeprefix(_PROVISIONAL).partition("|")
        if family in _SALTS:
            time = _find_time(name, grid.calendar)
            drawn.add((_SALTS[family], time))
            area, _, period = rest.partition("|")
            if area in grid.codes["country"]:  # their years and quarters share a salt for each breakdown
                tables = (_TABLES[key] for key in Block.decode(blob).values if key in _TABLES)
                grain = Period.parse(period).grain
                drawn |= {(salt_of(replace(table, level="country", grain=grain)), time) for table in tables}
    return drawn


def _find_time(name: str, calendar: Calendar) -> str:
    """Return the time that is drawn at once with a block: a provisional quarter, a year, or the whole programme."""
    period = name.rpartition("|")[2]
    return f"{_PROVISIONAL}{period}" if name.startswith(_PROVISIONAL) else _find_longer(period, calendar)


@cache
def _find_longer(period: str, calendar: Calendar) -> str:
    parsed = Period.parse(period)
    return parsed.id if parsed.grain == "whole" else calendar.period(parsed.start, "year").id


def is_repeated(spec: TableSpec, cells: int, book: Book, grid: Grid) -> bool:
    """Return whether `freeze` takes every number of a table from published blocks, each with `cells` numbers."""
    return all(book.has(name, _table_key(spec), cells) for name, *_ in _list_blocks(spec, grid))


def _table_key(spec: TableSpec) -> str:
    """Return the name of a table within a block, without level and grain."""
    return "_".join((spec.measure, *spec.breakdown))


# Each counted measure and breakdown as a table of any level and grain, by its name within a block.
_TABLES = {
    _table_key(spec): spec
    for measure, allowed in MAY_HOLD["partner"].items()
    for spec in (TableSpec(measure, "country", "whole", breakdown) for breakdown in allowed.breakdowns)
    if spec.counted
}
# The measure of the salt, by the first part of a block's name.
_SALTS = {"met": "children", "flows": "children", "encounters": "encounters"}
_PROVISIONAL = "provisional|"
_PARTS = "part"  # begins the name of a block with a year that is summed and never shown


def _list_parts(spec: TableSpec, grid: Grid) -> Iterator[tuple[str, int, int]]:
    """Yield the blocks of the years of a table of the whole programme that nobody sees, as `_list_blocks` does."""
    for area, code in enumerate(grid.codes[spec.level]):
        for number, year in enumerate(grid.periods("year")):
            yield f"{_PARTS}|{code}|{year.id}", area, number


def _list_blocks(spec: TableSpec, grid: Grid) -> Iterator[tuple[str, int, int]]:
    """Yield the blocks of a table: the name, and the indices of the area and the period."""
    # As vaults of all versions have it.
    family = spec.measure if spec.measure in ("flows", "encounters") else "met"
    provisional = grid.is_provisional(spec.grain)
    for area, code in enumerate(grid.codes[spec.level]):
        for number, period in enumerate(grid.periods(spec.grain)):
            name = f"{family}|{code}|{period.id}"
            yield f"{_PROVISIONAL}{name}" if provisional[number] else name, area, number
