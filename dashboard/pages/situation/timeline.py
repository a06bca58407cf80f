"""Time along the bottom: bars that show when things happened, before one moves the slider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from markupsafe import Markup

from dashboard.site.text import _, html, join_markup, number, quantity, translate
from data.tables.periods import Period
from geo.layers.core import LayerData

__all__ = [
    "Total",
    "render_strip",
    "compute_heights",
    "judge_totals",
    "format_total",
    "compute_totals",
    "is_unfinished",
]

_LEAST = 4  # per cent, so that a bar stays visible


@dataclass(frozen=True)
class Total:
    """One number of a period: None where there is none, with the state and its words where all share one.

    least: it is the least that there is.
    """

    value: float | None
    margin: float = 0.0
    least: bool = False
    state: str = ""
    words: str = ""


def compute_totals(
    frames: Mapping[str, pd.DataFrame], area: str = "", words: Mapping[str, str] | None = None
) -> list[Total]:
    """Give one number a period: of an area, or the sum over what is published and of its margins.

    `words` says states in words.
    """
    return [_total(frame[frame.index == area] if area else frame, words or {}) for frame in frames.values()]


def _total(frame: pd.DataFrame, words: Mapping[str, str]) -> Total:
    known = frame["value"].fillna(frame["low"])
    if not known.notna().any():
        states = set(frame["state"]) if "state" in frame else set()
        state = str(states.pop()) if len(states) == 1 else ""
        return Total(None, state=state, words=words.get(state, ""))
    return Total(
        float(known.sum()), float(frame["margin"].sum()), bool(frame["value"].isna()[known.notna()].any())
    )


def judge_totals(layers: Sequence[LayerData], area: str, words: Mapping[str, str]) -> list[Total]:
    """Say what is told in each period where numbers of areas cannot be added up.

    Of an area its number, or the words of its class or state; else of how many areas something is told.
    """
    return [_judged(one, area, words) if area else _how_many(one) for one in layers]


def _judged(of: LayerData, area: str, words: Mapping[str, str]) -> Total:
    if area not in of.frame.index or of.frame.loc[area, "state"] != "class":
        return _total(of.frame[of.frame.index == area], words)
    return Total(None, state="named", words=translate(of.texts()[area]))


def _how_many(of: LayerData) -> Total:
    known = int(of.frame["state"].isin(["number", "class"]).sum())
    text = _("told for {known} of {all} areas", known=known, all=len(of.frame))
    return Total(None, state="named", words=text)


def format_total(period: str, total: Total) -> str:
    """Say a period and its number with its margin, or else its state."""
    label = Period.parse(period).label
    if total.value is None:
        return f"{label}: {total.words or _('no number')}"
    return f"{label}: {_value(total)}"


def _value(total: Total) -> str:
    if total.value is None:
        return ""
    value = translate(quantity(None, total.value)) if total.least else number(total.value)
    return f"{value}{f' ±{number(total.margin)}' if total.margin else ''}"


def compute_heights(values: Sequence[float | None]) -> list[int]:
    """Scale values to per cent of the highest bar; 0 for no number."""
    top = max((v for v in values if v is not None), default=0.0)
    return [0 if v is None or top <= 0 else max(_LEAST, round(100 * v / top)) for v in values]


def is_unfinished(period: str, last: str | None) -> bool:
    """Say whether a period ends after the last day of the records."""
    if not last:
        return False
    return Period.parse(period).end > date.fromisoformat(last)


def render_strip(when: str, totals: Mapping[str, Total], now: str, last: str | None) -> Markup:
    """Draw the words of the period, one bar a period and the years below.

    The slider that lies over the bars says their numbers to those who listen, and shows a bar's own words
    to those who point at it.
    """
    bars = []
    for (period, total), height in zip(
        totals.items(), compute_heights([total.value for total in totals.values()]), strict=True
    ):
        classes = ["now"] if period == now else []
        if is_unfinished(period, last):
            classes.append("unfinished")
        if total.value is None and total.state:
            classes.append(f"state-{total.state}")
        named = html(' class="{}"', " ".join(classes)) if classes else ""
        words = format_total(period, total)
        bars.append(html('<i{} style=height:{}% title="{}"></i>', named, height, words))
    graph = (
        html(
            '{}<div class="bars time n{}">{}</div>{}',
            _scale(totals),
            len(bars),
            join_markup(bars),
            _years(list(totals)),
        )
        if bars
        else ""
    )
    return html("<div class=when><p>{}</p><div class=graph aria-hidden=true>{}</div></div>", when, graph)


def _scale(totals: Mapping[str, Total]) -> Markup:
    """Write the largest value beside the top of the bars, and zero beside their foot."""
    largest = max(
        (t for t in totals.values() if t.value is not None), key=lambda t: t.value or 0.0, default=None
    )
    if largest is None:
        return Markup("")
    return html(
        "<div class=scale><b>{}{}</b><b>0</b></div>", "≥" if largest.least else "", number(largest.value)
    )


def _years(periods: Sequence[str]) -> Markup:
    """Write the year under the first bar of each calendar year."""
    years = [Period.parse(period).start.year for period in periods]
    spans = []
    for place, year in enumerate(years):
        if place == 0 or year != years[place - 1]:
            spans.append(html("<b style=flex:{}>{}</b>", years.count(year), year))
    return html("<div class=years>{}</div>", join_markup(spans))
