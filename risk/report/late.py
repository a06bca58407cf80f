"""The children of the last quarter once all records have come, read from a release: docs/risk-model.md eq. (163)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.capture.late import Arrival, nowcast
from data.disclosure.cell_key import CellKey
from data.release import Release
from data.release.completeness import LATE
from data.tables.spec import Level, table_name


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


def read_nowcasts(release: Release, level: Level = "country") -> list[Nowcast]:
    """Return the nowcast of the last quarter of each area of a level; empty if it is complete, or not published."""
    counts = table_name("children", level, "quarter")
    if not {LATE, counts} <= set(release.tables):
        return []
    late = release.table(LATE)
    late = late[late["record"] == "all"].set_index("area")
    rows = release.table(counts)
    rows = rows[rows["period"].isin(late["period"]) & rows["state"].isin(["number", "almost_none"])]
    countries = late.index.to_list()
    mechanism = CellKey.from_manifest(release.manifest["tact"])
    results = []
    for area, period, value in zip(rows["area"], rows["period"], rows["value"].astype(float).fillna(0.0), strict=True):
        country = next((code for code in countries if area == code or str(area).startswith(f"{code}-")), None)
        if country is None:
            continue
        published, share = int(value), late.loc[country]
        if share["state"] != "number":
            results.append(Nowcast(str(area), str(period), published))
            continue
        most = published + mechanism.largest
        shown = mechanism.channel(most).shown(published)
        ends = nowcast(np.asarray(shown), Arrival(float(share["alpha"]), float(share["beta"])))
        results.append(Nowcast(str(area), str(period), published, *ends))
    return results
