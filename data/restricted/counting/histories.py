"""Count capture histories: by which partners each child was met. Behind the wall.

A child belongs to the country of its first encounter, as in the model's table, and is on the lists of the partners that
met it there. All results of this module have the noise of the cell key method, so an estimate from them reveals no more
about one child than noisy counts do (docs/disclosure.md, "Dark figure").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.disclosure.cell_key import CellKey, compute_cell_keys
from data.restricted.counting.encounters import Encounters
from data.tables.spec import CATEGORIES
from data.workspace.types import Bools, Ints

_SALT = "histories"  # no number of another table has the same noise
_AT_RISK = CATEGORIES["stage"].index("at_risk")


@dataclass(frozen=True, eq=False)
class NoisyHistories:
    """The histories that occur in a country, and how many children have each, with noise.

    on_list: one row for each history, one column for each partner, (n, L). children: numbers with noise, (n,), 0 or
    more.
    """

    on_list: Bools
    children: Ints


def count_histories(encounters: Encounters, partners: int, mechanism: CellKey) -> Mapping[str, NoisyHistories]:
    """Count the capture histories of each country and add noise; return them by the code of the country.

    `encounters` must have their partners; `partners` is the number of these, L.

    Children who were at risk when they were first met are left out, as in the model's table: to meet them is
    prevention.
    """
    grid, child = encounters.grid, encounters.child
    country = grid.area_index["country"][encounters.place]
    home = country[encounters.first_rows]
    at_home = country == home[child]
    rows = np.flatnonzero(at_home & (encounters.partner >= 0)) if partners else np.zeros(0, np.int64)
    history = np.zeros((len(home), partners), bool)
    history[child[rows], encounters.partner[rows]] = True
    counted = history.any(axis=1) & (encounters.codes["stage"][encounters.first_rows] != _AT_RISK)
    record_key = encounters.keys(_SALT, mechanism.key_range)
    result = {}
    for index, code in enumerate(grid.codes["country"]):
        members = np.flatnonzero(counted & (home == index))
        on_list, cell = np.unique(history[members], axis=0, return_inverse=True)
        counts = np.bincount(cell, minlength=len(on_list)).astype(np.int64)
        keys = compute_cell_keys(cell, record_key[members], len(on_list), mechanism.key_range)
        noisy = mechanism.publish(counts, keys) if len(on_list) else counts
        result[code] = NoisyHistories(on_list, noisy)
    return result
