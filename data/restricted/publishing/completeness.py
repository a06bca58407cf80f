"""Completeness as a table of the partner tier: which partner sent what, by country and quarter. Behind the wall.

It says who sent cases but no outreach days, who stopped and who began. Days are exact; they count no child. Of children
only a state is published, decided on a number with noise: k or more, or fewer than k, possibly none. These numbers have
noise of their own and are no part of another published number, so that no difference with one exists: a child counts in
each quarter and for each partner that met it, not only at its first encounter (docs/disclosure.md, Completeness).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa

from data.disclosure.cell_key import CellKey, compute_cell_keys
from data.disclosure.policy import Policy
from data.release.completeness import NAME, OUTREACH
from data.restricted.counting.encounters import Encounters, number_partners
from data.restricted.publishing.book import Book
from data.restricted.publishing.records import Records
from data.tables.grid import Grid
from data.tables.spec import CATEGORIES
from data.workspace.folding import normalize_identifier
from data.workspace.types import Ints

_SALT = "completeness"  # no number of another table has the same noise
_FOUND = CATEGORIES["found"]
_NUMBERS = {"value": "float64", "low": "float64"}
_TYPES = {**dict.fromkeys(("area", "period", "partner", "record", "state"), "str"), **_NUMBERS}


def tabulate_completeness(
    encounters: Encounters, records: Records, policy: Policy, mechanism: CellKey, book: Book
) -> pa.Table:
    """Return the table of completeness; numbers of the book are repeated, and it gets the newly drawn ones.

    It has all quarters of each partner in each country where the partner has outreach days, or where one of its states
    is k or more; other partners are not named there.
    """
    grid = records.grid
    numbered = number_partners(records.senders)
    names = [next(name for name, number in numbered.items() if number == n) for n in range(max(numbered.values()) + 1)]
    enough = _repeat(_draw_children(encounters, len(names), mechanism), names, grid, book) >= policy.k
    days = [records.effort.from_partner(n).days("country", "quarter") for n in range(len(names))]
    rows: list[tuple[str | float | None, ...]] = []
    for (area, country), (n, name) in product(enumerate(grid.codes["country"]), enumerate(names)):
        if not (enough[area, :, n].any() or days[n][area].any()):
            continue
        for place, period in enumerate(grid.periods("quarter")):
            spent = float(days[n][area, place])
            rows.append(
                (country, period.id, name, OUTREACH, "number" if spent else "not_searched", spent or None, None)
            )
            for way, known in zip(_FOUND, enough[area, place, n], strict=True):
                state, low = ("class", float(policy.k)) if known else ("few", None)
                rows.append((country, period.id, name, way, state, None, low))
    frame = pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _draw_children(encounters: Encounters, partners: int, mechanism: CellKey) -> Ints:
    """Return the children met, with noise, (countries, quarters, partners, ways); a child counts once in a cell.

    Provisional quarters have noise under another salt, as in every table.
    """
    grid, size = encounters.grid, mechanism.key_range
    shape = (len(grid.codes["country"]), len(grid.periods("quarter")), partners, len(_FOUND))
    if not partners:
        return np.zeros(shape, np.int64)
    country = grid.area_index["country"][encounters.place].astype(np.int64)
    rows = np.flatnonzero((country >= 0) & (encounters.partner >= 0))
    quarter = grid.period_of(encounters.day[rows], "quarter")
    place = country[rows], quarter, encounters.partner[rows], encounters.codes["found"][rows]
    cell, child = np.unique(np.stack([np.ravel_multi_index(place, shape), encounters.child[rows]]), axis=1)
    provisional = grid.is_provisional("quarter")[np.unravel_index(cell, shape)[1]]
    final, again = (encounters.keys(salt, size)[child] for salt in (_SALT, f"provisional|{_SALT}"))
    total = int(np.prod(shape))
    counts = np.bincount(cell, minlength=total).astype(np.int64)
    keys = compute_cell_keys(cell, np.where(provisional, again, final), total, size)
    return np.asarray(mechanism.publish(counts, keys).reshape(shape))


def _repeat(drawn: Ints, names: Sequence[str], grid: Grid, book: Book) -> Ints:
    """Return the numbers, replaced by published ones where there are any. The book has a hash in place of a name."""
    numbers, provisional = drawn.copy(), grid.is_provisional("quarter")
    places = product(enumerate(grid.codes["country"]), enumerate(grid.periods("quarter")), enumerate(names))
    for (area, country), (place, period), (n, name) in places:
        block = f"{'provisional|' if provisional[place] else ''}{NAME}|{country}|{period.id}"
        entry = hashlib.sha256(f"{block}|{normalize_identifier(name)}".encode()).hexdigest()
        numbers[area, place, n] = book.repeat(block, entry, drawn[area, place, n].tolist())
    return numbers
