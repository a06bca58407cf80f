"""The truth of an invented world as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from data.tables.spec import CATEGORIES
from data.workspace.types import Floats, Ints
from risk.worlds.ground import Ground
from risk.worlds.need import Need
from risk.worlds.outreach import FirstMeetings


@dataclass(frozen=True)
class Truth:
    """The truth of a world, which no programme knows.

    need : one row for each area (region, municipality), pathway and quarter, with the columns `need` (expected children
        newly in need), `rate` (need per 1,000 children living there), `relative_risk` (the rate divided by the
        country's rate), `reported` and `discovered` (expected first meetings), and `days` (of outreach).
    areas : one row for each area: level, country, parent, people, children, detection factor.
    child : the true child of each row of the encounter frame, from 0.
    """

    need: pd.DataFrame
    areas: pd.DataFrame
    child: Ints

    @classmethod
    def build(cls, land: Ground, periods: tuple[str, ...], true: Need, meetings: FirstMeetings, child: Ints) -> Self:
        """Build the tables from the arrays of a world, regions first."""
        both = [_need_table(land, periods, true, meetings, level) for level in _LEVELS]
        areas = [_area_table(land, true, level) for level in _LEVELS]
        return cls(pd.concat(both, ignore_index=True), pd.concat(areas), child)

    def relative_risk(self, level: str) -> pd.DataFrame:
        """Return the relative risk over the whole time by area and pathway, internal or cross-border.

        Columns: area, country, pathway, need, relative_risk. A relative risk of 1 is the country's rate on that
        pathway. Children on no known pathway are left out.
        """
        rows = self.need[(self.need["level"] == level) & (self.need["pathway"] != "none_known")]
        pathway = rows["pathway"].astype(str).where(rows["pathway"] == "internal", "cross_border")
        by = [rows["area"].astype(str), pathway]
        out = rows.groupby(by, observed=True)["need"].sum().reset_index()
        places = self.areas.loc[out["area"]]
        out["country"] = places["country"].to_numpy()
        children = pd.Series(places["children"].to_numpy(), index=out.index)
        group = [out["country"], out["pathway"]]
        national = out["need"].groupby(group).transform("sum") / children.groupby(group).transform("sum")
        out["relative_risk"] = out["need"] / children / national
        return out[["area", "country", "pathway", "need", "relative_risk"]]

    def log_risk(self, areas: Sequence[str], pathways: Sequence[str], level: str = "region") -> Floats:
        """Return the log relative risks of these areas of a level over the whole time, (areas, pathways).

        They are NaN for unknown areas and pathways, and -inf without need.
        """
        table = self.relative_risk(level).pivot_table("relative_risk", "area", "pathway")
        risk: Floats = np.log(table.reindex(index=list(areas), columns=list(pathways)).to_numpy(dtype=float))
        return risk


_LEVELS = ("region", "municipality")


def _need_table(
    land: Ground, periods: tuple[str, ...], true: Need, meetings: FirstMeetings, level: str
) -> pd.DataFrame:
    """Return one row for each area of a level, pathway and quarter."""
    inside = level == "region"
    amount = true.region if inside else true.municipality
    days = land.sum_by_region(meetings.days) if inside else meetings.days
    expected = land.sum_by_region(meetings.expected) if inside else meetings.expected
    children = land.sum_by_region(true.children) if inside else true.children
    codes, country = _codes(land, level)
    rate = _ratio(amount, np.broadcast_to(children[:, None, None], amount.shape))
    area, pathway, quarter = (axis.ravel() for axis in np.indices(amount.shape))
    columns = {
        "area": pd.Series(codes[area].astype(str), dtype="str"),
        "level": level,
        "pathway": pd.Categorical.from_codes(pathway, categories=pd.Index(CATEGORIES["pathway"])),
        "quarter": pd.Categorical.from_codes(quarter, categories=pd.Index(periods)),
        "need": amount.ravel(),
        "rate": 1000.0 * rate.ravel(),
        "relative_risk": _ratio(rate, _national_rate(land, true)[country]).ravel(),
        "reported": expected[:, :, 0].ravel(),
        "discovered": expected[:, :, 1].ravel(),
        "days": np.broadcast_to(days[:, None, :], amount.shape).ravel(),
    }
    return pd.DataFrame(columns)


def _codes(land: Ground, level: str) -> tuple[np.ndarray, Ints]:
    """Return the codes of the areas of a level and the positions of their countries."""
    if level == "region":
        return land.regions, land.country_of
    return land.municipalities, land.country_of_municipality


def _national_rate(land: Ground, true: Need) -> Floats:
    """Return the country's need divided by the children living there, (countries, P, T)."""
    children = land.sum_by_region(true.children)
    living = np.bincount(land.country_of, children, len(land.countries))
    amount = np.zeros((len(land.countries), *true.region.shape[1:]))
    np.add.at(amount, land.country_of, true.region)
    return _ratio(amount, np.broadcast_to(living[:, None, None], amount.shape))


def _ratio(upper: Floats, lower: Floats) -> Floats:
    """Return the ratio, NaN where the divisor is 0."""
    out: Floats = np.divide(upper, lower, where=lower > 0, out=np.full(upper.shape, np.nan))
    return out


def _area_table(land: Ground, true: Need, level: str) -> pd.DataFrame:
    """Return one row for each area of a level."""
    inside = level == "region"
    names = np.array(land.countries, dtype=object)
    codes, country = _codes(land, level)
    columns = {
        "level": level,
        "country": names[country],
        "parent": names[country] if inside else land.regions[land.region_of],
        "people": land.region_people if inside else land.people,
        "children": land.sum_by_region(true.children) if inside else true.children,
        "detection": true.detection if inside else true.detection[land.region_of],
    }
    return pd.DataFrame(columns, index=pd.Index(codes, name="area", dtype="str"))
