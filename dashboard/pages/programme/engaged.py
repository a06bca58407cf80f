"""Duty bearers engaged on the Programme page: who has a service in an area in a quarter, from the partners' records.

The numbers are those of the table of services by duty bearer, which counts prevention and coordination alone and has no
noise. Nothing here is a number that somebody typed.
"""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from dashboard.pages.programme.summary import name_bearers
from dashboard.site.current_release import CurrentRelease, load_areas, name_regions, read_area_names, read_table
from dashboard.site.text import _, cache_by_language, format_number, format_period
from data.tables.spec import CATEGORIES, table_name

_BEARERS = CATEGORIES["duty_bearer"]


@lru_cache(maxsize=16)
def read_engaged(current: CurrentRelease, country: str) -> pd.DataFrame:
    """Return whether each duty bearer is engaged in each county or region of a country, by quarter, oldest first.

    Columns: area, period, and one for each duty bearer: True, False, or missing if the release does not say. Without
    rows if the release does not have the table. The frame is shared: never change it.
    """
    table = read_table(current, table_name("services", "region", "quarter", "duty_bearer"))
    if table.empty:
        return pd.DataFrame(columns=["area", "period", *_BEARERS])
    here = table[table["area"].map(load_areas(current.release).table["country"]) == country]
    works = (here["value"] > 0).astype("boolean").where(here["state"] == "number")
    wide = here.assign(works=works).pivot_table(
        index=["area", "period"], columns="duty_bearer", values="works", aggfunc="first", dropna=False
    )
    return wide.reindex(columns=list(_BEARERS)).reset_index().sort_values(["period", "area"], ignore_index=True)


def count_engaged(current: CurrentRelease, country: str) -> dict[str, tuple[int, int]]:
    """Return of each duty bearer the number of areas where it was engaged in the last quarter, and that of all areas.

    Areas of which the release does not say it are in neither number. Empty if the release does not have the table.
    """
    rows = read_engaged(current, country)
    last = rows[rows["period"] == rows["period"].max()]
    return {name: (int(last[name].sum()), int(last[name].notna().sum())) for name in _BEARERS} if len(last) else {}


@cache_by_language(maxsize=16)
def tabulate_engaged(current: CurrentRelease, country: str) -> pd.DataFrame:
    """Return in words the duty bearers engaged in the last quarter, and their number in each, an area in each row.

    Without rows if the release does not have the table. The frame is shared: never change it.
    """
    rows, names, bearers = read_engaged(current, country), read_area_names(current), name_bearers()
    if rows.empty:
        return pd.DataFrame()
    counts = rows.assign(count=rows[list(_BEARERS)].sum(axis=1)).pivot_table(
        index="area", columns="period", values="count", aggfunc="first"
    )
    last = rows[rows["period"] == rows["period"].max()].set_index("area").fillna(False)
    listed = [
        (
            names[code],
            ", ".join(word for name, word in bearers.items() if last.loc[code, name]) or _("none"),
            *map(format_number, counts.loc[code]),
        )
        for code in name_regions(current)
        if code in counts.index
    ]
    return pd.DataFrame(listed, columns=[_("Area"), _("Engaged now"), *map(format_period, counts.columns)])
