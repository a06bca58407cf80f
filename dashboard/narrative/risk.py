"""The results of the risk model for areas: rates with their classes by pathway, and the words for both.

Every number comes from the tables beside the release (risk/report/__init__.py). Areas are compared
within their country only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import pandas as pd

from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names, read_country_names
from dashboard.site.text import _, format_number, translate
from geo.layers.risk import CHANGES, CLASSES, find_class
from risk.report.shift import AreaShift
from risk.report.trends import Jump

CANNOT_TELL = -1


def name_pathways() -> dict[str, str]:
    """Return the names of the model's pathways, by code."""
    return {"internal": _("Internal trafficking"), "cross_border": _("Cross-border trafficking")}


def name_classes(*, change: bool = False) -> list[str]:
    """Return the short names of the classes, lowest first."""
    return [translate(words).partition(":")[0] for words in (CHANGES if change else CLASSES)]


def name_class(position: int) -> str:
    """Return the short name of a class, by its position in CLASSES or CANNOT_TELL."""
    return _("cannot tell") if position == CANNOT_TELL else name_classes()[position]


@lru_cache(maxsize=32)
def read_area_rates(current: CurrentRelease, pathway: str) -> pd.DataFrame:
    """Read the rate and class of each area on a pathway over the whole time: by country, highest rate first.

    Indexed by area; columns name, country (code), class (position in CLASSES or CANNOT_TELL), median, lower,
    upper (in terms of the country's rate), probability (of the class), exceeding, reports_alone. The frame is
    shared: never change it.
    """
    frame = read_risk_table(current, "risk_region_whole_crossing", pathway)
    if frame.empty:
        return frame
    return frame.sort_values(["country", "median"], ascending=[True, False], kind="stable")


def read_risk_table(current: CurrentRelease, name: str, pathway: str) -> pd.DataFrame:
    """Read a table of the model for a pathway: one row for each area, with its name, country and class."""
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
    return [find_class(float(low), change=change) if s == "class" else CANNOT_TELL for s, low in states]


def format_shift(names: pd.Series, shift: AreaShift) -> str:
    """Return a sentence on the share of internal trafficking. `names` are the names of areas by code."""
    rise = shift.probability >= 0.5
    chance = max(shift.probability, 1.0 - shift.probability)
    return _(
        _SHIFTS[shift.verdict],
        areas=join_words(str(names.get(code, code)) for code in shift.areas),
        before=f"{shift.before:.0f}",
        after=f"{shift.after:.0f}",
        low=f"{shift.low:+.0f}",
        high=f"{shift.high:+.0f}",
        way=_("rise") if rise else _("fall"),
        chance=_("over 99.9 %") if chance > 0.999 else f"{100 * chance:.1f} %",
    )


_SHIFTS = {
    "rose": "The share of internal trafficking in {areas} rose from {before} % to {after} % "
    "(difference {low} to {high} points; probability of a {way} {chance}).",
    "fell": "The share of internal trafficking in {areas} fell from {before} % to {after} % "
    "(difference {low} to {high} points; probability of a {way} {chance}).",
    "unclear": "The share of internal trafficking in {areas} did not clearly change: from {before} % to "
    "{after} % (difference {low} to {high} points; probability of a {way} {chance}).",
}


def format_break(current: CurrentRelease, jump: Jump) -> str:
    """Return a sentence on a quarter in which counts jumped in a whole country."""
    return _(
        "In {country}, counts rose in {rose} and fell in {fell} areas at the same time ({before} to "
        "{after}): check whether recording changed before reading it as a rise.",
        country=read_country_names(current)[jump.country],
        rose=jump.rose,
        fell=jump.fell,
        before=jump.before,
        after=jump.after,
    )


def join_words(words: Iterable[str]) -> str:
    """Join words as in a sentence: "Durrës, Tirana and Vlorë"."""
    *first, last = words
    return _("{first} and {last}", first=", ".join(first), last=last) if first else last


def format_effort_warning(effort_ratio: float) -> str:
    """Return the warning that outreach may be why a rate changed; NaN means no outreach in the year before."""
    if math.isnan(effort_ratio):
        return _("No outreach is recorded for the year before, so more outreach may be the reason.")
    days = format_number(round(effort_ratio, 1))
    return _("Outreach was {days} times that of the year before, which may be the reason.", days=days)
