"""The number that is shown of a cell: the reconciled one, with which parts add up to totals, or else the published one.

Layers and the search of exported files use this one rule.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.workspace.types import Floats

NOISY = ("noisy", "noisy_margin")
NUMBERS = ("value", "margin", *NOISY)


def choose_numbers(table: pd.DataFrame, largest: float) -> pd.DataFrame:
    """Return the numbers of each row of a released table as floats, NaN where there is none.

    value, margin: the number that is shown. It is the reconciled one where the table has one; its margin is wider by
    the distance from the published number, so that the true number still lies within it.
    noisy, noisy_margin: the number as published.
    largest: how far a true number may be from a published zero. A reconciled zero in its place stays without a number,
    because its state says more.
    """
    noisy, noisy_margin, reconciled = (_read_floats(table, name) for name in ("value", "margin", "reconciled"))
    is_zero = np.isnan(noisy)
    adjusted = ~np.isnan(reconciled) & (~is_zero | (reconciled > 0))
    published, reach = np.where(is_zero, 0.0, noisy), np.where(is_zero, largest, noisy_margin)
    value = np.where(adjusted, reconciled, noisy)
    margin = np.where(adjusted, reach + np.abs(reconciled - published), noisy_margin)
    return pd.DataFrame(dict(zip(NUMBERS, (value, margin, noisy, noisy_margin), strict=True)), index=table.index)


def _read_floats(table: pd.DataFrame, name: str) -> Floats:
    column = table[name] if name in table else pd.Series(np.nan, table.index)
    return np.asarray(column.astype("Float64").to_numpy(float, na_value=np.nan))
