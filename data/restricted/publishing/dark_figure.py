"""The step of a release that estimates how many children there are, met or not. Behind the wall.

Everything that is published is computed from capture histories with noise (docs/disclosure.md, "Dark figure").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from data.capture import REASONS, PopulationEstimate, estimate_population, round_estimate, tabulate_histories
from data.disclosure.cell_key import CellKey
from data.restricted.counting.encounters import Encounters
from data.restricted.counting.histories import count_histories
from data.restricted.publishing.book import Book
from data.restricted.publishing.frozen import is_repeated
from data.tables.spec import Plan, TableSpec
from data.workspace.types import Ints

_ANSWER = 3  # numbers for each country: two ends and a reason


def estimate_dark_figures(
    encounters: Encounters, partners: Sequence[str], plan: Plan, mechanism: CellKey, book: Book
) -> Mapping[TableSpec, Ints]:
    """Estimate the number of children in each country: the tables of dark figures, each (countries, periods, 3).

    The last axis has the lower end and the upper end of the interval in children, and the index of the reason in
    REASONS if there is no interval, -1 if there is one. A table without a final period has no periods. If `freeze` will
    repeat the numbers of a table from the book, it is not estimated again and has zeros.
    """
    specs = [spec for spec in plan["partner"] if spec.measure == "dark_figure"]
    grid, result = encounters.grid, {}
    for spec in specs:
        shape = (len(grid.codes[spec.level]), len(grid.periods(spec.grain)), _ANSWER)
        result[spec] = np.zeros(shape, np.int64)
        if shape[1] and not is_repeated(spec, _ANSWER, book, grid):  # the whole programme is over
            histories = count_histories(encounters, len(partners), mechanism)
            answers = [estimate_population(tabulate_histories(h.on_list, h.children)) for h in histories.values()]
            result[spec][:, 0] = [_encode(round_estimate(answer)) for answer in answers]
    return result


def _encode(answer: PopulationEstimate) -> tuple[int, int, int]:
    if answer.low is None or answer.high is None:
        return 0, 0, REASONS.index(answer.reason)
    return int(answer.low), int(answer.high), -1
