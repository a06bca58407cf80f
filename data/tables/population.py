"""People of each area in each period, interpolated between the censuses of a table of published figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.schema.vocabulary import PROVISIONAL
from data.tables.periods import Period


def interpolate_population(figures: pd.DataFrame, periods: Sequence[str]) -> pd.DataFrame:
    """Return the people of each area in each period: one row for each area with a figure, one column for each period.

    figures: the table of published figures. periods: their identifiers. The figure of a census is valid for the middle
    of its period. Between two censuses the number changes linearly, by the same number of people each day, so that
    municipalities still add up to their region. (With a constant rate of growth they would not.) Before the first
    census and after the last, the nearest census is used: nothing is extrapolated. Of several figures for one period, a
    figure that is not provisional is preferred, then the last one in the table.
    """
    census = _list_censuses(figures)
    census_periods = census["period"].drop_duplicates()
    middles = dict(zip(census_periods, _find_middles(census_periods), strict=True))
    # Lists, because a frame for each of hundreds of areas would be slow.
    points: dict[str, list[tuple[float, float]]] = {}
    for area, period, number in zip(census["area"], census["period"], census["number"].to_numpy(float), strict=True):
        points.setdefault(area, []).append((middles[period], number))
    days, people = _find_middles(periods), {}
    for area in sorted(points):
        when, number = np.array(points[area]).T
        people[area] = np.interp(days, when, number)
    return pd.DataFrame.from_dict(people, orient="index", columns=list(periods), dtype=float)


def count_people(figures: pd.DataFrame, areas: pd.DataFrame, periods: Sequence[str]) -> pd.DataFrame:
    """Return the people of each country (rows) in each period (columns): rounded sums over its regions.

    Each region is interpolated by `interpolate_population`. areas: country and level, indexed by code.
    """
    regions = areas.index[areas["level"] == "region"]
    people = interpolate_population(figures[figures["area"].isin(regions)], periods)
    return people.groupby(areas["country"].reindex(people.index)).sum().round()


def list_used_censuses(figures: pd.DataFrame, areas: pd.DataFrame, periods: Sequence[str]) -> pd.DataFrame:
    """Return the censuses from which `count_people` counts the people of each country in each period.

    Columns: area (the country), period, source, year; one row for each census of any region. Between two censuses
    there are rows of both. areas: country and level, indexed by code.
    """
    regions = areas.index[areas["level"] == "region"]
    census = _list_censuses(figures[figures["area"].isin(regions)])
    census = census.assign(middle=_find_middles(census["period"]))
    parts = []
    for period, day in zip(periods, _find_middles(periods), strict=True):
        before = census[census["middle"] <= day].drop_duplicates("area", keep="last")
        after = census[census["middle"] >= day].drop_duplicates("area", keep="first")
        parts.append(pd.concat([before, after]).assign(period=period))
    used = pd.concat(parts)
    countries = areas["country"].reindex(used["area"]).to_numpy()
    return used.assign(area=countries)[["area", "period", "source", "year"]].drop_duplicates(ignore_index=True)


def compute_rate(number: pd.Series, people: pd.Series) -> pd.Series:
    """Return numbers per 100,000 people, (rows,), to four decimals."""
    return (number / people * 100_000).round(4)


def _list_censuses(figures: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of population that are used: one row for each area and period, oldest first."""
    people = figures[(figures["measure"] == "population") & figures["number"].notna()]
    people = people.assign(provisional=people["status"].isin(PROVISIONAL))
    people = people.sort_values(["period", "provisional"], ascending=[True, False], kind="stable")
    return people.drop_duplicates(["area", "period"], keep="last")


def is_between_censuses(figures: pd.DataFrame, periods: Sequence[str]) -> bool:
    """Return whether any area has a period between two of its censuses, so that its people are interpolated."""
    days = _find_middles(periods)
    spans = [_find_middles(rows["period"])[[0, -1]] for _, rows in _list_censuses(figures).groupby("area")]
    return any(bool(((days > first) & (days < last)).any()) for first, last in spans)


def _find_middles(periods: Sequence[str] | pd.Series[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the middle of each period, (periods,), in days as `date.toordinal` counts them."""
    parsed = [Period.parse(period) for period in periods]
    return np.array([(p.start.toordinal() + p.end.toordinal()) / 2.0 for p in parsed])
