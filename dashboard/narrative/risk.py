"""What the risk model says of areas: rates with their classes by pathway, and the words for both.

Every number comes from what the model wrote beside the release (risk/report/__init__.py). Areas are compared
within their country only.
"""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from dashboard.site.text import _, translated
from geo.layers.risk import CHANGES, CLASSES, class_of

CANNOT_TELL = -1


def name_pathways() -> dict[str, str]:
    """Return the names of the pathways that the model tells apart, by code."""
    return {"internal": _("Inside the country"), "cross_border": _("Across a border")}


def name_classes(*, change: bool = False) -> list[str]:
    """Return the short names of the classes, lowest first."""
    return [translated(words).partition(":")[0] for words in (CHANGES if change else CLASSES)]


def name_class(position: int) -> str:
    """Return the short name of a class, by its position in CLASSES or CANNOT_TELL."""
    return _("cannot tell") if position == CANNOT_TELL else name_classes()[position]


@lru_cache(maxsize=32)
def read_area_rates(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Read the rate and class of each area on a pathway over the whole time: by country, highest rate first.

    Indexed by area; columns name, country (code), class (position in CLASSES or CANNOT_TELL), median, lower,
    upper (in terms of the country's rate), probability (of the class), exceeding, reports_alone. Shared: never change it.
    """
    frame = read_risk_table(current, "risk_region_whole_crossing", pathway)
    if frame.empty:
        return frame
    return frame.sort_values(["country", "median"], ascending=[True, False], kind="stable")


def read_risk_table(current: CurrentRelease, name: str, pathway: str) -> pd.DataFrame:
    """Read a table of the model for a pathway: one row an area, with its name, country and class."""
    table = current_release.read_table(current, name)
    if table.empty:
        return table
    frame = table[table["crossing"] == pathway].set_index("area")
    known = load_areas(current.release).table
    return frame.assign(
        name=read_area_names(current).reindex(frame.index),
        country=known["country"].reindex(frame.index).astype(str),
        **{"class": read_classes(frame, change=name.startswith("riskchange"))},
    )


def read_classes(frame: pd.DataFrame, *, change: bool) -> list[int]:
    """Return the class of each row as a position in CLASSES (of the rate or its change), or CANNOT_TELL."""
    states = zip(frame["state"], frame["low"] if "low" in frame else frame["state"], strict=True)
    return [class_of(float(low), change=change) if s == "class" else CANNOT_TELL for s, low in states]
