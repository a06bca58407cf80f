"""How late the records of a quarter come, as a table of the partner tier: a share that follows from counts with noise.

The vault knows the day of each import. For each quarter that ended a year ago or more, the children whose records had
come when the quarter was as old as the last one is now are compared with all of them (docs/disclosure.md, Late records;
docs/risk-model.md eq. (161)). A record that was corrected counts as come when it was corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from datetime import date

import numpy as np
import pyarrow as pa

from data.capture.late import learn_arrival
from data.disclosure.cell_key import CellKey, compute_cell_keys
from data.release.completeness import LATE
from data.restricted.counting.encounters import Encounters
from data.workspace.types import Bools, Ints

_DIGITS = 3
_COMPLETE = 365  # days after which a quarter has its records


def tabulate_late(encounters: Encounters, imported: Mapping[int, date], day: date, mechanism: CellKey) -> pa.Table:
    """Return the share of a quarter's children that comes by the age of the last quarter, by country.

    Empty if the last quarter is final. imported : the day of each import, by its number. day : that of the release. A
    share is `cannot_tell` where the imports say nothing of it, such as those of a vault that was filled in one go.
    """
    grid = encounters.grid
    quarters = grid.periods("quarter")
    rows = []
    if grid.is_provisional("quarter")[-1] and imported:
        age, first = day - quarters[-1].end, min(imported.values())
        informative = np.array([first <= q.end + age and (day - q.end).days >= _COMPLETE for q in quarters])
        total, arrived = _count(encounters, imported, [q.end + age for q in quarters], mechanism)
        for area, country in enumerate(grid.codes["country"]):
            share = learn_arrival(arrived[area, informative], total[area, informative])
            ends = [None, None] if share is None else [float(f"{end:.{_DIGITS}g}") for end in astuple(share)]
            rows.append([country, quarters[-1].id, "cannot_tell" if share is None else "number", *ends])
    texts, numbers = ("area", "period", "state"), ("alpha", "beta")
    schema = pa.schema([*((name, pa.string()) for name in texts), *((name, pa.float64()) for name in numbers)])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def _count(
    encounters: Encounters, imported: Mapping[int, date], until: list[date], mechanism: CellKey
) -> tuple[Ints, Ints]:
    """Return all children of each quarter, and those who had come until a day of each quarter, with noise.

    Both (countries, quarters). A child counts in the quarter of its first encounter.
    """
    grid, first = encounters.grid, encounters.first_rows
    shape = (len(grid.codes["country"]), len(grid.periods("quarter")))
    size = int(np.prod(shape))
    country = grid.area_index["country"][encounters.place[first]].astype(np.int64)
    quarter = grid.period_of(encounters.day[first], "quarter").astype(np.int64)
    inside = (country >= 0) & (quarter >= 0)
    came = np.array([imported.get(int(number), date.max) for number in encounters.batch[first]], "datetime64[D]")
    in_time = inside & (came <= np.array(until, "datetime64[D]")[quarter])

    def publish(chosen: Bools, what: str) -> Ints:
        keys = encounters.keys(f"{LATE}|{what}", mechanism.key_range)[chosen]
        cell = np.ravel_multi_index((country[chosen], quarter[chosen]), shape)
        counts = np.bincount(cell, minlength=size).astype(np.int64)
        keys = compute_cell_keys(cell, keys, size, mechanism.key_range)
        return np.asarray(mechanism.publish(counts, keys).reshape(shape))

    return publish(inside, "all"), publish(in_time, "come")
