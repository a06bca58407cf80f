"""The number shown for a cell: the reconciled number, so that parts add up to totals, or else the published number.

Layers, files for forecast hubs and the search of exported files use these rules.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.workspace.types import Floats

NOISY = ("noisy", "noisy_margin")
NUMBERS = ("value", "margin", *NOISY)


def choose_numbers(table: pd.DataFrame, reach_of_zero: float | Floats) -> pd.DataFrame:
    """Return the numbers of a released table, four float columns with a row for each of its rows; NaN means no number.

    value, margin: the number shown. If it is reconciled, its margin is wider by the distance from the published number,
    so that the true number still lies within it.
    noisy, noisy_margin: the number as published. A published zero that is reconciled to zero is shown without a number,
    because its state says more.
    reach_of_zero: how far a true number may be from a published zero, for all rows or for each (`Release.find_reach`).
    """
    noisy, noisy_margin, reconciled = (_read_floats(table, name) for name in ("value", "margin", "reconciled"))
    is_zero = np.isnan(noisy)
    adjusted = ~np.isnan(reconciled) & (~is_zero | (reconciled > 0))
    published, reach = np.where(is_zero, 0.0, noisy), np.where(is_zero, reach_of_zero, noisy_margin)
    value = np.where(adjusted, reconciled, noisy)
    margin = np.where(adjusted, reach + np.abs(reconciled - published), noisy_margin)
    return pd.DataFrame(dict(zip(NUMBERS, (value, margin, noisy, noisy_margin), strict=True)), index=table.index)


def count_draws(margins: npt.ArrayLike, largest: float) -> float:
    """Return of how many draws each number of a table is the sum, from the margins of its numbers (NaN: no number).

    largest: the margin of one draw. Numbers of the whole programme are sums of years, and each year is drawn once.
    """
    widest = float(np.fmax.reduce(np.asarray(margins, float), initial=0.0))
    return max(widest / largest, 1.0) if largest else 1.0


def sum_ways(table: pd.DataFrame) -> pd.DataFrame:
    """Add up the published counts of children who were reported and who were discovered.

    Returns a frame with the columns area, period, crossing, value and state. value is missing if the state is not
    "number".

    The state is the state of the least known part. So the sum is a number if every part is a number or a published
    zero, and at least one is a number. A sum of zeros has the state of a zero, and no number.
    """
    order = table["state"].map({"number": 1, "not_searched": 2, "almost_none": 3, "structural_zero": 4}).fillna(0)
    groups = table.assign(order=order).sort_values("order", kind="stable").groupby(["area", "period", "crossing"])
    sums = groups.agg(value=("value", "sum"), state=("state", "first")).reset_index()
    return sums.assign(value=sums["value"].where(sums["state"] == "number"))


def _read_floats(table: pd.DataFrame, name: str) -> Floats:
    column = table[name] if name in table else pd.Series(np.nan, table.index)
    return np.asarray(column.astype("Float64").to_numpy(float, na_value=np.nan))
