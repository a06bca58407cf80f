"""The forgetting attack, which compares a release with earlier ones to find the child that changed.

Where published numbers follow every correction, a child that is taken out or reported late changes its own
cells and no others: in a breakdown of its area and period one category moves, or none where the noise
happens to make up for it, while the rest stands still. So the attacker looks for an area and period where
that holds for every breakdown and at least two of them moved. Frozen numbers stand still, or are drawn again
together when so many children have changed that several categories of some breakdown move. (A correction
that moves a child from one category to another cannot be told, from outside, from many that do the same.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import pyarrow as pa

from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.plan import TableSpec, table_name

__all__ = ["attack"]

Place = tuple[str, str, str, str]  # level, grain, area, period
_OCCUPIED = 3  # categories that show a number, so that one that moves alone says something
_TOGETHER = 2  # breakdowns that must agree


def attack(releases: Sequence[Published]) -> tuple[list[Finding], dict[str, float]]:
    """Compare the last release of a tier with each before it; give findings, and how it went."""
    places: dict[Place, None] = {}
    *earlier, after = releases
    for before in earlier:
        moved: dict[Place, list[int]] = {}
        for spec in _comparable(before, after):
            for area, period, count in _moved(before.tables[spec], after.tables[spec], spec.breakdown[0]):
                moved.setdefault((spec.level, spec.grain, area, period), []).append(count)
        places.update(dict.fromkeys(p for p, counts in moved.items() if _one_child(counts)))
    return [_finding(place) for place in places], {"pairs": len(earlier)}


def _one_child(moved: Sequence[int]) -> bool:
    """Say whether one child explains all that moved: no breakdown in which two categories did."""
    return max(moved) <= 1 and sum(moved) >= _TOGETHER


def _finding(place: Place) -> Finding:
    level, grain, area, period = place
    reason = "what moved between two releases can be one child's"
    return Finding(
        "forgetting", table_name("children", level, grain), {"area": area, "period": period}, reason
    )


def _comparable(before: Published, after: Published) -> Iterator[TableSpec]:
    for spec in after.tables:
        if spec in before.tables and spec.measure == "children" and len(spec.breakdown) == 1:
            yield spec


def _moved(before: pa.Table, after: pa.Table, category: str) -> Iterator[tuple[str, str, int]]:
    """Count by area and period the categories that moved, where at least three show a number.

    Only cells that both releases hold are compared: a period that is new was not changed.
    """
    keys = ["area", "period", category]
    both = _cells(before, keys).merge(_cells(after, keys), on=keys, suffixes=("", "_after"))
    both["moved"] = (both["value"] != both["value_after"]) | (both["state"] != both["state_after"])
    both["there"] = (both["value"] > 0) | (both["value_after"] > 0)
    told = both.groupby(["area", "period"], sort=False)[["moved", "there"]].sum()
    told = told[told["there"] >= _OCCUPIED]
    for place, count in zip(told.index, told["moved"], strict=True):
        yield str(place[0]), str(place[1]), int(count)


def _cells(table: pa.Table, keys: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(table.select([*keys, "value", "state"]).to_pandas())
    # What is withheld since says nothing of what changed.
    return frame[frame["state"] != "withheld"].assign(value=frame["value"].fillna(-1))
