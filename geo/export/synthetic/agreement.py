"""Compare synthetic records with the published tables: the records are counted again, table by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.tables.periods import Period
from data.workspace.types import Ints
from geo.export.synthetic.margins import TOTAL, Published


@dataclass(frozen=True)
class Agreement:
    """The agreement of synthetic records with one table.

    published, synthetic : number of children in the cells that show a number. largest, where : the largest difference
    in such a cell (children), and the area, period and category of the cell; 0 and empty if there is no difference.
    variation : the total variation distance between the shares of these cells, from 0 (the same) to 1. hidden : the
    cells without a number, in words. outside : how many of these have a synthetic count outside their published limits.
    """

    table: str
    cells: int
    published: int
    synthetic: int
    largest: int
    where: str
    variation: float
    hidden: tuple[str, ...]
    outside: int


def compare_records(records: pd.DataFrame, published: Published) -> list[Agreement]:
    """Count the records as each published table does, and return their agreement with each."""
    children = _place_children(records, published.containers)
    return [
        _compare_table(name, frame, _count(children, frame, breakdown))
        for breakdown, named in published.frames.items()
        for name, frame in named.items()
    ]


def _place_children(records: pd.DataFrame, containers: Mapping[str, str]) -> pd.DataFrame:
    """Return the records with the county or region (`region`) and the country of each."""
    regions, countries = {}, {}
    for code in records["municipality"].unique():
        chain = [code]
        while around := containers.get(chain[-1], ""):
            chain.append(around)
        regions[code], countries[code] = chain[-2], chain[-1]
    return records.assign(region=records["municipality"].map(regions), country=records["municipality"].map(countries))


def _count(children: pd.DataFrame, frame: pd.DataFrame, breakdown: str) -> Ints:
    """Return the number of children in each cell of a table, shape (cells,)."""
    area = "country" if frame["area"].isin(children["country"].unique()).any() else "region"
    category = children[breakdown] if breakdown else pd.Series(TOTAL, children.index)
    counts = np.zeros(len(frame), np.int64)
    for text in frame["period"].unique():
        period = Period.parse(text)
        inside = children["date"].between(period.start.isoformat(), period.end.isoformat())
        sizes = children[inside].groupby([children[area], category]).size()
        here = (frame["period"] == text).to_numpy()
        cells = pd.MultiIndex.from_frame(frame.loc[here, ["area", "category"]])
        counts[here] = sizes.reindex(cells).fillna(0).to_numpy()
    return counts


def _compare_table(name: str, frame: pd.DataFrame, counts: Ints) -> Agreement:
    shown = (frame["low"] == frame["high"]).to_numpy()
    numbers, synthetic_counts = frame["low"].to_numpy()[shown], counts[shown]
    words = [" ".join(filter(None, row)) for row in frame[["area", "period", "category"]].itertuples(index=False)]
    differences = np.abs(synthetic_counts - numbers)
    worst = int(differences.argmax()) if len(differences) else -1
    outside = (counts < frame["low"]) | (counts > frame["high"])
    return Agreement(
        table=name,
        cells=len(frame),
        published=int(numbers.sum()),
        synthetic=int(synthetic_counts.sum()),
        largest=int(differences.max(initial=0)),
        where=np.array(words, object)[shown][worst] if worst >= 0 and differences[worst] else "",
        variation=round(_compute_variation(synthetic_counts, numbers), 4),
        hidden=tuple(f"{words[n]}: {frame['state'].iloc[n]}" for n in np.flatnonzero(~shown)),
        outside=int((outside & ~shown).sum()),
    )


def _compute_variation(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> float:
    """Return the total variation distance between the shares of two lists of counts; 0 if either sum is 0."""
    sums = np.sum(first), np.sum(second)
    if not all(sums):
        return 0.0
    return float(np.abs(np.asarray(first) / sums[0] - np.asarray(second) / sums[1]).sum() / 2)
