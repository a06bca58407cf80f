"""The forgetting attack, which compares a release with earlier ones to find the child that changed.

Where published numbers follow every correction, a child that is taken out or reported late changes its own
cells and no others: in a breakdown of its area and period one category moves, or none where the noise
happens to make up for it, while the rest stands still. So the attacker looks for an area and period where
that holds for every breakdown, at least two of them moved, and none by more than one child and the noise can
account for. Frozen numbers stand still, or are drawn again together when many children have changed; where
even that would look like one child, a release repeats the numbers once more (data/restricted/publishing/__init__.py). (A correction
that moves a child from one category to another cannot be told, from outside, from many that do the same.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from data.disclosure.attacks.bounds import Finding, Published
from data.tables.spec import TableSpec, table_name

__all__ = ["Place", "attack", "places"]

Place = tuple[str, str, str, str]  # level, grain, area, period
_OCCUPIED = 3  # categories that show a number, so that one that moves alone says something
_TOGETHER = 2  # breakdowns that must agree


def attack(releases: Sequence[Published]) -> tuple[list[Finding], dict[str, float]]:
    """Compare the last release of a tier with each before it; give findings, and how it went."""
    return [_finding(place) for place in places(releases)], {"pairs": len(releases) - 1}


def places(releases: Sequence[Published]) -> list[Place]:
    """List where what moved between an earlier release and the last one can be one child's."""
    found: dict[Place, None] = {}
    *earlier, after = releases
    for before in earlier:
        moved: dict[Place, list[_Moved]] = {}
        for spec in _comparable(before, after):
            for area, period, change in _moved(before, after, spec):
                moved.setdefault((spec.level, spec.grain, area, period), []).append(change)
        found.update(dict.fromkeys(p for p, changes in moved.items() if _one_child(changes)))
    return list(found)


@dataclass(frozen=True)
class _Moved:
    """How many categories of a breakdown moved, and whether one child and the noise account for it."""

    categories: int
    little: bool


def _one_child(moved: Sequence[_Moved]) -> bool:
    """Say whether one child explains all that moved: little, and no breakdown in which two categories did."""
    counts = [m.categories for m in moved]
    return all(m.little for m in moved) and max(counts) <= 1 and sum(counts) >= _TOGETHER


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


def _moved(before: Published, after: Published, spec: TableSpec) -> Iterator[tuple[str, str, _Moved]]:
    """Say by area and period what moved, where at least three categories show a number.

    Only cells that both releases hold are compared: a period that is new was not changed.
    """
    keys = ["area", "period", *spec.breakdown]
    cells = [_cells(release.tables[spec], keys) for release in (before, after)]
    both = cells[0].merge(cells[1], on=keys, suffixes=("", "_after"))
    numbers = (both["state"] == "number") & (both["state_after"] == "number")
    by = (both["value_after"] - both["value"]).abs()
    # One number twice, each with its noise, around counts that differ by one.
    both["much"] = numbers & (by > 1 + 2 * after.knowledge[spec.measure].largest)
    both["moved"] = (by != 0) | (both["state"] != both["state_after"])
    both["there"] = (both["value"] > 0) | (both["value_after"] > 0)
    told = both.groupby(["area", "period"], sort=False)[["moved", "there", "much"]].sum()
    told = told[told["there"] >= _OCCUPIED]
    for (area, period), moved, much in zip(told.index, told["moved"], told["much"], strict=True):
        yield str(area), str(period), _Moved(int(moved), not much)


def _cells(table: pa.Table, keys: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(table.select([*keys, "value", "state"]).to_pandas())
    # What is withheld since says nothing of what changed.
    return frame[frame["state"] != "withheld"].assign(value=frame["value"].fillna(-1))
