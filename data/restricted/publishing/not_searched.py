"""Correct cells that are "not searched" but contain a published number: they are "almost none". Behind the wall."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from data.restricted.publishing.published_table import ReleasedTable, Tables, code
from data.tables.periods import GRAINS, Grain
from data.tables.spec import COUNTED, LEVELS, Level
from data.workspace.types import Bools

_Masks = dict[tuple[Level, Grain], Bools]  # where a number above zero is published, (areas, periods)


def correct_not_searched(tables: Tables) -> Tables:
    """Return the tables of a tier in which no cell "not searched" contains a number above zero of its measure.

    A cell contains a number if its area and period contain the number's area and period, in any breakdown. Only
    published cells count, so that the state of a total does not reveal a withheld number.
    """
    masks = {measure: _find_numbers(tables, measure) for measure in COUNTED}
    return {spec: _correct(table, masks[spec.measure]) if spec.counted else table for spec, table in tables.items()}


def _find_numbers(tables: Tables, measure: str) -> _Masks:
    masks: _Masks = {}
    for spec, table in tables.items():
        if spec.measure == measure:
            above_zero = (table.state == code("number")) & (table.value > 0)
            shown = above_zero.any(axis=tuple(range(2, above_zero.ndim)))
            place = spec.level, spec.grain
            masks[place] = shown | masks.get(place, np.zeros_like(shown))
    return masks


def _correct(table: ReleasedTable, masks: _Masks) -> ReleasedTable:
    spec, grid = table.spec, table.grid
    below = np.zeros(table.value.shape[:2], bool)
    levels, grains = LEVELS[LEVELS.index(spec.level) :], GRAINS[: GRAINS.index(spec.grain) + 1]
    for level, grain in product(levels, grains):
        if (level, grain) in masks:
            # The index of the wider area and of the longer period that contain each, or -1. The first year may begin
            # before the whole time does.
            areas = grid.area_index[spec.level][[grid.names[code] for code in grid.codes[level]]]
            starts = [max(period.start, grid.span.start) for period in grid.periods(grain)]
            periods = grid.period_of(np.array(starts, "datetime64[D]"), spec.grain)
            area, period = np.nonzero(masks[level, grain])
            inside = (areas[area] >= 0) & (periods[period] >= 0)
            below[areas[area[inside]], periods[period[inside]]] = True
    wrong = (table.state == code("not_searched")) & below.reshape(*below.shape, *[1] * (table.value.ndim - 2))
    return replace(table, state=np.where(wrong, np.int8(code("almost_none")), table.state))
