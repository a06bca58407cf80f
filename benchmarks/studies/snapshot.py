"""The children that are known on the day of a release, each in its cell of the tables that rules.py publishes.

They are counted as a release counts them: a child once, where and as it was first met.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.studies.sequence import list_first_encounters
from data.disclosure.policy import DEFAULT_POLICY
from data.reference import area_table
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import CATEGORIES, TableSpec
from data.workspace.types import Bools, Ints
from risk.model.observations import CROSSING

YEARS = TableSpec("children", "region", "year")
WHOLE = TableSpec("children", "region", "whole", ("pathway",))
MODEL = TableSpec("model", "region", "quarter", ("crossing", "found"))
PUBLIC = (YEARS, WHOLE)
TABLES = (*PUBLIC, MODEL)
_DAYS, _CALENDAR = (DEFAULT_POLICY.first, DEFAULT_POLICY.last), Calendar(DEFAULT_POLICY.first.month)
GRID = Grid(area_table(), _CALENDAR, *_DAYS)
_CONTENT = ["municipality", "origin", "destination", "stage", "pathway", "form", "axis", "sex", "age_band", "found"]
PROVISIONAL, FINAL = 1, 2


def get_shape(spec: TableSpec) -> tuple[int, ...]:
    """Return the shape of a table: areas, periods, categories."""
    periods = GRID.periods(spec.grain)
    return (len(GRID.codes["region"]), len(periods), *(len(CATEGORIES[name]) for name in spec.breakdown))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The records that are known on the day of a release.

    cells, blocks: by table, the cell and the block (area and period) of each child, or -1. content: for each child, a
    number that changes when its first encounter changes. status: by table, whether each cell is provisional or final,
    or else 0. over: by table, whether the period of each cell has ended.
    """

    cells: Mapping[TableSpec, Ints]
    blocks: Mapping[TableSpec, Ints]
    content: Ints
    status: Mapping[TableSpec, Ints]
    over: Mapping[TableSpec, Bools]

    @classmethod
    def take(cls, encounters: pd.DataFrame, names: pd.Index, day: date) -> Snapshot:
        """Return the snapshot of a day; `names` are all children of the world, known or not."""
        grid = Grid.for_day(area_table(), _CALENDAR, _DAYS, DEFAULT_POLICY.lag, day)
        assert grid is not None
        first = list_first_encounters(encounters[encounters["date"].astype(str) <= f"{grid.last}"])
        first = first.set_index("child").reindex(names)  # a child who is not known is in no cell
        cells, blocks, status, over = {}, {}, {}, {}
        for spec in TABLES:
            blocks[spec], cells[spec] = _place(first, spec)
            states = np.where(grid.is_provisional(spec.grain), PROVISIONAL, FINAL)
            ended = [p.end <= grid.last or spec.grain == "whole" for p in GRID.periods(spec.grain)]
            shape = (1, -1, *(1 for _ in spec.breakdown))
            status[spec], over[spec] = (
                np.broadcast_to(np.array(values).reshape(shape), get_shape(spec))
                for values in (np.pad(states, (0, len(ended) - len(states))), ended)
            )
        content = pd.util.hash_pandas_object(first[_CONTENT].astype(str), index=False).to_numpy().astype(np.int64)
        return cls(cells, blocks, content, status, over)

    def count(self, spec: TableSpec) -> Ints:
        """Return the number of children in each cell."""
        return _tally(self.cells[spec], get_shape(spec))


def _place(first: pd.DataFrame, spec: TableSpec) -> tuple[Ints, Ints]:
    """Return the numbers of the block and of the cell of each first encounter, (n,) each; -1 outside the table."""
    area = pd.Index(GRID.codes["region"]).get_indexer(pd.Index(first["region"]))
    period = GRID.period_of(pd.to_datetime(first["date"]).to_numpy().astype("datetime64[D]"), spec.grain)
    block = np.where((area >= 0) & (period >= 0), area * len(GRID.periods(spec.grain)) + period, -1)
    cell = np.where((spec == MODEL) & (first["stage"] == "at_risk"), -1, block)
    for name in spec.breakdown:
        column = "pathway" if name == "crossing" else name
        code = pd.Index(CATEGORIES[column]).get_indexer(pd.Index(first[column]))
        code = np.array([*CROSSING, -1, -1])[code] if name == "crossing" else code
        cell = np.where((cell >= 0) & (code >= 0), cell * len(CATEGORIES[name]) + code, -1)
    return block, cell


def count_changes(before: Snapshot, now: Snapshot, spec: TableSpec, *, blocks: bool = False) -> Ints:
    """Return how many children entered or left each cell; with `blocks`, how many changed in the cell's block."""
    old, new = (snapshot.blocks[spec] if blocks else snapshot.cells[spec] for snapshot in (before, now))
    changed = (old != new) | (blocks & (before.content != now.content))
    places, shape = np.concatenate([old[changed], new[changed & (old != new)]]), get_shape(spec)
    changes = _tally(places, shape[:2] if blocks else shape)
    return np.broadcast_to(changes.reshape(*changes.shape, *[1] * (len(shape) - changes.ndim)), shape)


def _tally(places: Ints, shape: tuple[int, ...]) -> Ints:
    """Return the number of children in each cell of a table; children in no cell (-1) are left out."""
    return np.bincount(places + 1, minlength=int(np.prod(shape)) + 1)[1:].reshape(shape)
