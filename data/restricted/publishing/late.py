"""How late the records of a quarter come, as a table of the partner tier: a share that follows from counts with noise.

The vault knows the day of each import. For each quarter that ended a year ago or more, the children whose records had
come when the quarter was as old as the last one is now are compared with all of them (docs/disclosure.md, Late records;
docs/risk-model.md eq. (161)). A record that was corrected counts as come when it was corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from data.capture.late import Arrival, learn_arrival
from data.disclosure.cell_key import CellKey, compute_cell_keys
from data.release.completeness import LATE
from data.restricted.counting.encounters import Encounters
from data.tables.spec import CATEGORIES
from data.workspace.types import Bools, Ints

_FOUND = CATEGORIES["found"]
WAYS = (*_FOUND, "all")
_DIGITS = 3
_COMPLETE = 365  # days after which a quarter has its records


def tabulate_late(encounters: Encounters, imported: Mapping[int, date], day: date, mechanism: CellKey) -> pa.Table:
    """Return the share of a quarter's children that comes by the age of the last quarter, by country and way.

    Empty if the last quarter is final. imported : the day of each import, by its number. day : that of the release. A
    share is `cannot_tell` where the imports say nothing of it, such as those of a vault that was filled in one go.
    """
    grid = encounters.grid
    quarters = grid.periods("quarter")
    names = ("area", "period", "record", "state", "alpha", "beta")
    rows = []
    if grid.is_provisional("quarter")[-1] and imported:
        age = day - quarters[-1].end
        first = min(imported.values())
        informative = np.array([first <= q.end + age and (day - q.end).days >= _COMPLETE for q in quarters])
        total, arrived = _count(encounters, imported, [q.end + age for q in quarters], mechanism)
        for area, country in enumerate(grid.codes["country"]):
            for way, record in enumerate(WAYS):
                share = learn_arrival(arrived[area, informative, way], total[area, informative, way])
                state = "cannot_tell" if share is None else "number"
                rows.append((country, quarters[-1].id, record, state, *_round(share)))
    types = [pa.string()] * 4 + [pa.float64()] * 2
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table({name: pa.array(list(c), t) for name, t, c in zip(names, types, columns, strict=True)})


def _round(share: Arrival | None) -> tuple[float | None, float | None]:
    if share is None:
        return None, None
    return float(f"{share.alpha:.{_DIGITS}g}"), float(f"{share.beta:.{_DIGITS}g}")


def _count(
    encounters: Encounters, imported: Mapping[int, date], until: list[date], mechanism: CellKey
) -> tuple[Ints, Ints]:
    """Return all children of each quarter, and those who had come until a day of each quarter, with noise.

    Both (countries, quarters, ways). A child counts in the quarter of its first encounter.
    """
    grid, first = encounters.grid, encounters.first_rows
    shape = (len(grid.codes["country"]), len(grid.periods("quarter")), len(WAYS))
    country = grid.area_index["country"][encounters.place[first]].astype(np.int64)
    quarter = grid.period_of(encounters.day[first], "quarter").astype(np.int64)
    inside = (country >= 0) & (quarter >= 0)
    came = np.array([imported.get(int(number), date.max) for number in encounters.batch[first]], "datetime64[D]")
    in_time = inside & (came <= np.array(until, "datetime64[D]")[quarter])

    def publish(chosen: Bools, what: str) -> Ints:
        members = np.flatnonzero(chosen)
        keys = encounters.keys(f"{LATE}|{what}", mechanism.key_range)[members]
        ways = encounters.codes["found"][first][members]
        size, numbers = int(np.prod(shape)), np.zeros(shape, np.int64)
        for way in (ways, np.full(len(members), len(_FOUND))):
            cell = np.ravel_multi_index((country[members], quarter[members], way), shape)
            counts = np.bincount(cell, minlength=size).astype(np.int64)
            numbers += mechanism.publish(counts, compute_cell_keys(cell, keys, size, mechanism.key_range)).reshape(
                shape
            )
        return numbers

    return publish(inside, "all"), publish(in_time, "come")
