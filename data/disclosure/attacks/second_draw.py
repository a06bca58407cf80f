"""The attack on the whole programme: children who are in the final years and not in the whole, or the reverse.

A child who is forgotten, or comes late, after its year became final is in only one of two numbers of the same area: the
sum of its years, and the whole programme. The difference of the two then shifts by exactly one, whatever the number of
the other children is. If the whole were the sum of its published years, the difference would always be zero.
"""

from __future__ import annotations

import numpy as np

from data.disclosure.attacks.bounds import Published
from data.disclosure.cell_key import CellKey
from data.tables.periods import Period
from data.tables.spec import TableSpec
from data.workspace.types import Floats, Ints

SIBLINGS = (1, 2, 3)  # children who come and go together
NAMES = tuple(f"second_draw_{number}" for number in SIBLINGS)  # of the statistics


def compute_shift_advantage(mechanism: CellKey, whole: int, years: Ints, siblings: int = 1) -> float:
    """Return the advantage (0 to 1) from the difference of a whole and its years, docs/disclosure.md eq. (18).

    whole, years: the published numbers, all shown, `years` with shape (years,). Each stands for its true count, as the
    noise of neighbouring counts hardly differs. siblings: how many children are in the years and not in the whole.
    """
    table = mechanism.table()
    rows = table[np.minimum([whole, *years], len(table) - 1)]
    chance: Floats = rows[0]
    for row in rows[1:]:
        chance = np.convolve(chance, row[::-1])
    beside, shifted = np.pad(chance, (0, siblings)), np.pad(chance, (siblings, 0))
    return float(np.abs(beside - shifted).sum() / 2)


def measure(release: Published, mechanism: CellKey) -> dict[str, float]:
    """Return the largest advantage from one whole and its years, by the number of siblings; empty if there is none.

    A whole that is the sum of its years was not drawn and tells nothing, but only if all wholes of its table are.
    """
    advantages = dict.fromkeys(SIBLINGS, 0.0)
    for spec in release.tables:
        if spec.measure == "children" and spec.grain == "whole":
            pairs = _read_pairs(release, spec)
            if any(whole != sum(years) for whole, years in pairs):
                for number in SIBLINGS:
                    each = (compute_shift_advantage(mechanism, whole, years, number) for whole, years in pairs)
                    advantages[number] = max(advantages[number], *each)
    return {name: round(value, 4) for name, value in zip(NAMES, advantages.values(), strict=True) if value}


def _read_pairs(release: Published, spec: TableSpec) -> list[tuple[int, Ints]]:
    """Return each distinct number of the whole programme with those of its years, shape (years,), where all are shown.

    "Almost none" and "not searched" are left out: how wide their noise is depends on whether the true count is zero.
    """
    yearly = TableSpec(spec.measure, spec.level, "year", spec.breakdown)
    if yearly not in release.tables:
        return []
    keys = ["area", *spec.breakdown]
    columns = [*keys, "period", "value"]
    whole, years = (release.tables[table].select(columns).to_pandas() for table in (spec, yearly))
    span = Period.parse(whole["period"].iloc[0])
    inside = [span.start <= Period.parse(name).end and Period.parse(name).start <= span.end for name in years["period"]]
    by_cell = years[inside].pivot(index=keys, columns="period", values="value")
    values = by_cell.join(whole.set_index(keys)["value"]).dropna().to_numpy(np.int64)
    return [(int(row[-1]), np.sort(row[:-1])) for row in np.unique(values, axis=0)]
