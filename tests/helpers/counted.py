"""Count tables of invented worlds, and publish them with a mechanism.

`small` is a world of a few areas, `own` a world over the areas that the product ships.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.disclosure.attacks.bounds import Published
from data.disclosure.policy import Policy
from data.reference import area_table
from data.restricted.counting import encounters as counting
from data.restricted.publishing.frozen import sum_years
from data.restricted.publishing.published_table import ReleasedTable, code
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import COUNTED, DEFAULT_PLAN, TableSpec
from tests.helpers import small_worlds

CAP = 3
EVERY_NUMBER = Policy(k_municipal=1)  # partners see every number above zero


@dataclass(frozen=True, eq=False)
class Counted:
    """True counts and cell keys of all tables of a plan, with the totals to which they add up.

    cells: by table; those of the whole programme are of its years, which are drawn one by one and summed.
    """

    grid: Grid
    plan: dict
    cells: dict

    @property
    def counts(self):
        return self._sum_years({spec: cells.counts for spec, cells in self.cells.items()})

    @property
    def areas(self):
        return self.grid.areas[["level", "parent"]]

    @property
    def tables(self):
        """The tables as the product counts them, to be published."""
        counts, keys = ({spec: cells[part] for spec, cells in self.cells.items()} for part in (0, 1))
        return counting.CountedTables(self.grid, self.plan, counts, keys)

    def drawn(self, mechanism):
        """Return the counts of each table with the noise of a mechanism."""
        scale = {spec: CAP if spec.measure == "encounters" else 1 for spec in self.cells}
        return self._sum_years({s: mechanism.publish(*cells, scale[s]) for s, cells in self.cells.items()})

    def _sum_years(self, values):
        return values | sum_years(values, self.plan, self.grid, EVERY_NUMBER)

    def published(self, mechanism, tier, k=11, name="r"):
        """Return a tier with noise as an attacker reads it, before cells are hidden to protect other cells."""
        return self.shown(mechanism, self.drawn(mechanism), tier, k, name)

    def shown(self, mechanism, values, tier, k=11, name="r"):
        below = k if tier == "public" else None
        tables = {}
        for spec in self.plan[tier]:
            if spec.counted:
                state = np.full(values[spec].shape, code("number"), np.int8)
                state[values[spec] < (below or 0)] = code("few")
                number = np.where(state == code("number"), values[spec].astype(float), np.nan)
                years = len(self.grid.periods("year")) if spec.grain == "whole" else 1
                margin = mechanism.knowledge(CAP if spec.measure == "encounters" else 1, years=years).largest
                tables[spec] = ReleasedTable(spec, self.grid, number, state, margin).arrow()
        known = {m: mechanism.knowledge(CAP if m == "encounters" else 1, below) for m in COUNTED}
        return Published(name, tables, known, k)


def counted(frame, areas, plan):
    """Count all tables of a plan from encounters; `frame` has the columns of the vault."""
    anywhere = Grid(areas, Calendar(6), date(2006, 6, 1), date(2006, 6, 1))
    records = counting.load_encounters(small_worlds.batches(frame, 10**6), anywhere.names)
    days = records["day"].astype("datetime64[D]")
    grid = Grid(areas, Calendar(6), days.min().astype(object), days.max().astype(object))
    encounters = counting.read_encounters(records, grid, small_worlds.KEYS)
    specs = {s for tier in plan for s in plan[tier] if s.counted}
    specs |= {TableSpec("children", s.level, s.grain) for s in specs}
    ordered = sorted(specs, key=lambda s: s.name)
    return Counted(grid, plan, {s: counting.count_table(encounters, s, CAP, 2**24) for s in ordered})


def small(seed=0, rows=900, children=600, plan=None, **more):
    frame = small_worlds.encounters(np.random.default_rng(seed), rows, children, **more)
    return counted(frame, small_worlds.area_table(), plan or small_worlds.SMALL_PLAN)


def default_world(plan=DEFAULT_PLAN, **parameters):
    from risk import worlds

    frame = worlds.simulate_default_areas(worlds.WorldParameters(**parameters)).records["encounter"].astype(str)

    def hashed(names):
        return names.map(lambda name: hashlib.sha256(name.encode()).hexdigest())

    shared = frame["programme_number"]
    child = hashed("child " + frame["partner"] + " " + frame["child_id"])
    frame["programme_child"] = hashed("programme " + shared).where(shared != "", "")
    frame["child"] = child.where(shared == "", frame["programme_child"])
    return counted(pd.DataFrame(frame[list(counting.COLUMNS)]), area_table(), plan)


__all__ = ["Counted", "counted", "default_world", "small"]
