"""Sums of flows with 95 % intervals, from the known noise of each number, and the sums that may be the largest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dashboard.site.current_release import CurrentRelease
from data.disclosure.cell_key import CellKey
from data.workspace.types import Floats
from risk.model.observations import build_channel

_NORMAL = 1.96  # 95 % of a normal distribution lies within this number of standard deviations from its mean


def estimate_sums(current: CurrentRelease, rows: pd.DataFrame, end: str) -> pd.DataFrame:
    """Return the number of children in all flows of each area, the largest first: columns value, low, high, by area.

    rows : flows with value, noisy (the number as published) and state. end : "area" for sums by destination, "origin"
    for sums by origin. value : the sum of the numbers shown. low, high : the 95 % interval around the sum of the
    published numbers, whose noise has mean zero; for each cell it uses the largest variance that its number allows. A
    flow that is withheld or not known may have any size, so `high` is infinite for its area.
    """
    published = rows["noisy"].fillna(0.0).to_numpy(float)
    variance = np.where(rows["state"] == "structural_zero", 0.0, _find_variances(current, published))
    cells = pd.DataFrame(
        {
            "value": rows["value"].fillna(0.0),
            "published": published,
            "variance": variance,
            "open": np.where(rows["state"].isin(["withheld", "no_data"]), np.inf, 0.0),
        }
    )
    sums = cells.groupby(rows[end]).sum()
    reach = _NORMAL * np.sqrt(sums["variance"])
    low = np.minimum(sums["value"], np.ceil(sums["published"] - reach)).clip(lower=0.0)
    high = np.maximum(sums["value"], np.floor(sums["published"] + reach)) + sums["open"]
    table = pd.DataFrame({"value": sums["value"], "low": low, "high": high})
    return table.sort_values("value", ascending=False, kind="stable")


def _find_variances(current: CurrentRelease, published: Floats) -> Floats:
    """Return the largest noise variance among the true counts that can lead to each published number.

    published : whole numbers from 0, shape (n,). The result has the same shape.
    """
    numbers = published.astype(np.int64)
    channel = build_channel(CellKey.from_manifest(current.release.manifest["tact"]), numbers, None)
    counts = numbers[:, None] + np.arange(-channel.largest, channel.largest + 1)
    return np.asarray(channel.variance()[np.clip(counts, 0, channel.n_max)].max(axis=1, initial=0.0))


def find_largest(sums: pd.DataFrame) -> pd.DataFrame:
    """Return the largest of the sums and those that may be as large, because their upper end reaches its lower end.

    sums : as `estimate_sums` returns them, the largest first. Raises IndexError if there are none.
    """
    largest: pd.DataFrame = sums.loc[sums["high"] >= sums["low"].iloc[0]]
    return largest
