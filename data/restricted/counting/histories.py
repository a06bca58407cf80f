"""Count capture histories: by which partners each child was met. Behind the wall.

A child belongs to the country of its first encounter, as in the model's table, and is on the lists of the partners that
met it there. What leaves this module has the noise of the cell key method: an estimate from it says no more about one
child than its noisy counts would (docs/disclosure.md, "Dark figure").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.disclosure.cell_key import CellKey, compute_cell_keys
from data.errors import ReleaseError
from data.restricted.counting.encounters import Encounters
from data.tables.spec import CATEGORIES
from data.workspace.types import Bools, Ints

_SALT = "histories"  # no number of another table has the same noise
_MOST_PARTNERS = 62  # the partners of a child are the digits of a number of 64 bits
_AT_RISK = CATEGORIES["stage"].index("at_risk")


@dataclass(frozen=True, eq=False)
class NoisyHistories:
    """The histories that occur in a country, and how many children have each, with noise.

    on_list: one row for each history, one column for each partner, (n, L). children: (n,), 0 or more.
    """

    on_list: Bools
    children: Ints


def count_histories(encounters: Encounters, partners: int, mechanism: CellKey) -> Mapping[str, NoisyHistories]:
    """Count the capture histories of each country and add noise; `encounters` must have their partners.

    Children first met as at risk are left out: meeting them is prevention, as in the model's table.
    Raises ReleaseError for more than 62 partners.
    """
    if partners > _MOST_PARTNERS:
        raise ReleaseError(f"There are {partners} partners; an estimate can use {_MOST_PARTNERS} at most.")
    grid, child = encounters.grid, encounters.child
    country = grid.area_index["country"][encounters.place]
    home = country[encounters.first_rows]
    rows = np.flatnonzero((encounters.partner >= 0) & (country == home[child]))
    history = np.zeros(len(home), np.int64)
    np.bitwise_or.at(history, child[rows], np.int64(1) << encounters.partner[rows].astype(np.int64))
    counted = (history > 0) & (encounters.codes["stage"][encounters.first_rows] != _AT_RISK)
    record_key = encounters.keys(_SALT, mechanism.key_range)
    result = {}
    for index, code in enumerate(grid.codes["country"]):
        members = np.flatnonzero(counted & (home == index))
        kinds, cell = np.unique(history[members], return_inverse=True)
        counts = np.bincount(cell, minlength=len(kinds)).astype(np.int64)
        keys = compute_cell_keys(cell, record_key[members], len(kinds), mechanism.key_range)
        on_list = ((kinds[:, None] >> np.arange(partners)) & 1).astype(bool)
        noisy = mechanism.publish(counts, keys) if len(kinds) else counts
        result[code] = NoisyHistories(on_list, noisy)
    return result
