"""The children of the last quarter once all records have come, read from a release: docs/risk-model.md eq. (163)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.capture.late import Arrival, nowcast
from data.disclosure.cell_key import CellKey
from data.release import Release
from data.release.completeness import LATE
from data.tables.spec import table_name


@dataclass(frozen=True)
class Nowcast:
    """The children of an area in a quarter: the published number, and the number once all records have come.

    low, middle, high : the latter with its 95 % interval; None where earlier quarters do not say how late records come.
    """

    area: str
    period: str
    published: int
    low: int | None = None
    middle: int | None = None
    high: int | None = None


def read_nowcasts(release: Release) -> list[Nowcast]:
    """Return the nowcast of the last quarter of each country; empty if it is complete, or not published."""
    counts = table_name("children", "country", "quarter")
    if not {LATE, counts} <= set(release.tables):
        return []
    rows = release.table(counts).merge(release.table(LATE), on=["area", "period"], suffixes=("", "_late"))
    rows = rows[rows["state"].isin(["number", "almost_none"])]
    mechanism = CellKey.from_manifest(release.manifest["tact"])
    results = []
    for row in rows.to_dict("records"):
        published = int(row["value"]) if row["state"] == "number" else 0
        ends: tuple[int, ...] = ()
        if row["state_late"] == "number":
            shown = mechanism.channel(published + mechanism.largest).shown(published)
            ends = nowcast(np.asarray(shown), Arrival(float(row["alpha"]), float(row["beta"])))
        results.append(Nowcast(str(row["area"]), str(row["period"]), published, *ends))
    return results
