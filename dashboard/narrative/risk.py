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
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from dashboard.site.text import _, format_number, translate
from data.tables.periods import Period
from geo.layers.risk import CHANGES, CLASSES, find_class
from risk.model.breaks import Break
from risk.report.trends import CountChange, Jump

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


def format_break(current: CurrentRelease, jump: Jump) -> str:
    """Return a sentence on a possible break: a quarter from which counts have a higher level."""
    before, after = (format_number(round(level, 1)) for level in (jump.before, jump.after))
    place, quarter = read_area_names(current)[jump.place], Period.parse(jump.period).label
    sentence = _(
        "{place}: from {quarter} on about {after} children were met in a quarter, before about {before}. This may be "
        "a break in the series: check whether recording changed before reading it as a rise.",
        place=place,
        quarter=quarter,
        before=before,
        after=after,
    )
    if jump.areas == 1:
        return sentence
    return f"{sentence} {_('Counts rose in {rose} of {areas} areas.', rose=jump.rose, areas=jump.areas)}"


def format_accepted_break(current: CurrentRelease, accepted: Break) -> str:
    """Return a sentence on a break that a person accepted."""
    place = read_area_names(current)[accepted.place] if accepted.place else _("all places")
    return _(
        "Break in the series from {quarter} on, {place}: {note}. Years on both sides of it are not compared.",
        quarter=Period.parse(accepted.period).label,
        place=place,
        note=accepted.note or _("no reason was given"),
    )


def format_count_change(change: CountChange) -> str:
    """Return a sentence on the change of counts over the last year, with its effort warning."""
    if change.verdict == "not compared":
        return _("Counts of the last two years are not compared: {why}.", why=change.note or _("a count is unknown"))
    if change.ratio is None:
        return _("In the year before, no child was met, so counts of the last two years have no ratio.")
    sentence = _(
        "Counts: the last year has {ratio} times the children of the year before (95 % interval {low} to {high}): "
        "{verdict}.",
        ratio=format_number(round(change.ratio, 2)),
        low=format_number(round(change.low or 0.0, 2)),
        high=_("no limit") if change.high is None else format_number(round(change.high, 2)),
        verdict=name_count_verdict(change),
    )
    warned = change.effort_warning and change.verdict != "no clear change"
    unknown = math.nan if change.effort_ratio is None else change.effort_ratio
    return f"{sentence} {format_effort_warning(unknown)}" if warned else sentence


def name_count_verdict(change: CountChange) -> str:
    """Return the words for a verdict on counts."""
    words = {
        "rise": _("a rise"),
        "fall": _("a fall"),
        "no clear change": _("no clear change"),
        "possible break": _("a possible break, or a rise"),
        "not compared": _("not compared"),
    }
    return words[change.verdict]


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
