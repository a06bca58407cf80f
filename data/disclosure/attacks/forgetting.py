"""The forgetting attack: compare a release with earlier ones to find the one child that changed.

Where published numbers follow every correction, a child that is removed or reported late changes its own cells and no
others: in a breakdown of its area and period at most one category changes. The attacker looks for an area and period
where this holds for every breakdown, at least two breakdowns changed, and no change is larger than one child and the
noise explain. Frozen numbers are repeated, or drawn again together when many children have changed; if that would
still look like one child, the release repeats them once more (data/restricted/publishing). The correction of one
child's category cannot be distinguished from many such corrections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from data.disclosure.attacks.bounds import Finding, Published
from data.tables.spec import TableSpec, table_name

Place = tuple[str, str, str, str]  # level, grain, area, period
_OCCUPIED = 3  # smallest number of categories with a number: then one that changes alone is informative
_TOGETHER = 2  # smallest number of breakdowns that must agree


def attack(releases: Sequence[Published]) -> tuple[list[Finding], dict[str, float]]:
    """Compare the last release with each earlier one of its tier; return findings and statistics."""
    return [_finding(place) for place in find_places(releases)], {"pairs": len(releases) - 1}


def find_places(releases: Sequence[Published]) -> list[Place]:
    """List the places where one child explains all changes since an earlier release."""
    suspects: dict[Place, None] = {}
    *earlier, after = releases
    for before in earlier:
        by_place: dict[Place, list[_Change]] = {}
        for spec in _comparable(before, after):
            for area, period, change in _iter_changes(before, after, spec):
                by_place.setdefault((spec.level, spec.grain, area, period), []).append(change)
        suspects.update(dict.fromkeys(p for p, changes in by_place.items() if _is_one_child(changes)))
    return list(suspects)


@dataclass(frozen=True)
class _Change:
    """How many categories of a breakdown changed, and whether one child and the noise explain it."""

    categories: int
    small: bool


def _is_one_child(changes: Sequence[_Change]) -> bool:
    """Check whether one child explains all changes: each is small, and in a breakdown only one category changed."""
    counts = [change.categories for change in changes]
    return all(change.small for change in changes) and max(counts) <= 1 and sum(counts) >= _TOGETHER


def _finding(place: Place) -> Finding:
    level, grain, area, period = place
    reason = "the difference between two releases can show one child"
    return Finding("forgetting", table_name("children", level, grain), {"area": area, "period": period}, reason)


def _comparable(before: Published, after: Published) -> Iterator[TableSpec]:
    for spec in after.tables:
        if spec in before.tables and spec.measure == "children" and len(spec.breakdown) == 1:
            yield spec


def _iter_changes(before: Published, after: Published, spec: TableSpec) -> Iterator[tuple[str, str, _Change]]:
    """Yield area, period and change of a breakdown, where at least three categories show a number.

    Only cells in both releases are compared: a new period is no change.
    """
    keys = ["area", "period", *spec.breakdown]
    cells = [_read_cells(release.tables[spec], keys) for release in (before, after)]
    both = cells[0].merge(cells[1], on=keys, suffixes=("", "_after"))
    numbers = (both["state"] == "number") & (both["state_after"] == "number")
    difference = (both["value_after"] - both["value"]).abs()
    # Two draws of noise around counts that differ by one.
    both["large"] = numbers & (difference > 1 + 2 * after.knowledge[spec.measure].largest)
    both["changed"] = (difference != 0) | (both["state"] != both["state_after"])
    both["occupied"] = (both["value"] > 0) | (both["value_after"] > 0)
    sums = both.groupby(["area", "period"], sort=False)[["changed", "occupied", "large"]].sum()
    sums = sums[sums["occupied"] >= _OCCUPIED]
    for (area, period), changed, large in zip(sums.index, sums["changed"], sums["large"], strict=True):
        yield str(area), str(period), _Change(int(changed), not large)


def _read_cells(table: pa.Table, keys: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(table.select([*keys, "value", "state"]).to_pandas())
    # A withheld cell says nothing about what changed.
    return frame[frame["state"] != "withheld"].assign(value=frame["value"].fillna(-1))
