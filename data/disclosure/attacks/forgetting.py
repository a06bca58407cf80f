"""The forgetting attack, which compares a release with earlier ones to find the child that changed.

Where published numbers follow every correction, a child that is taken out, moved or reported late changes
its own cells and no others: in each breakdown of its area and period one category moves while the rest
stands still. So the attacker looks for an area and period in which at least two breakdowns show exactly
that. Frozen numbers stand still, or are drawn again together when so many children have changed that
several categories move.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import pyarrow as pa

from data.disclosure.attacks.bounds import Finding, Published
from data.disclosure.plan import TableSpec, table_name

__all__ = ["attack"]

_OCCUPIED = 3  # categories that show a number, so that one that moves alone says something
_TOGETHER = 2  # breakdowns that must agree


def attack(releases: Sequence[Published]) -> tuple[list[Finding], dict[str, float]]:
    """Compare the last release of a tier with each before it; give findings, and how it went."""
    places: dict[tuple[str, str, str, str], None] = {}
    *earlier, after = releases
    for before in earlier:
        agreeing: dict[tuple[str, str, str, str], int] = {}
        for spec in _comparable(before, after):
            for area, period in _moved_alone(before.tables[spec], after.tables[spec], spec.breakdown[0]):
                place = (spec.level, spec.grain, area, period)
                agreeing[place] = agreeing.get(place, 0) + 1
        places.update(dict.fromkeys(place for place, count in agreeing.items() if count >= _TOGETHER))
    return [_finding(place) for place in places], {"pairs": len(earlier)}


def _finding(place: tuple[str, str, str, str]) -> Finding:
    level, grain, area, period = place
    reason = "between two releases one category of each breakdown moved and no other"
    return Finding(
        "forgetting", table_name("children", level, grain), {"area": area, "period": period}, reason
    )


def _comparable(before: Published, after: Published) -> Iterator[TableSpec]:
    for spec in after.tables:
        if spec in before.tables and spec.measure == "children" and len(spec.breakdown) == 1:
            yield spec


def _moved_alone(before: pa.Table, after: pa.Table, category: str) -> Iterator[tuple[str, str]]:
    """List area and period where one category moved and at least two others that show a number did not.

    Only cells that both releases hold are compared: a period that is new was not changed.
    """
    keys = ["area", "period", category]
    both = _cells(before, keys).merge(_cells(after, keys), on=keys, suffixes=("", "_after"))
    both["moved"] = (both["value"] != both["value_after"]) | (both["state"] != both["state_after"])
    both["there"] = (both["value"] > 0) | (both["value_after"] > 0)
    told = both.groupby(["area", "period"], sort=False)[["moved", "there"]].sum()
    for place in told.index[(told["moved"] == 1) & (told["there"] >= _OCCUPIED)]:
        yield str(place[0]), str(place[1])


def _cells(table: pa.Table, keys: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(table.select([*keys, "value", "state"]).to_pandas())
    return frame.assign(value=frame["value"].fillna(-1))
