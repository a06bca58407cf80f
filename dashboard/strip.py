"""Time along the bottom: bars that show when things happened, before one moves the slider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
from markupsafe import Markup

from dashboard.text import html, joined
from data.periods import Period

__all__ = ["drawn", "heights", "totals", "unfinished"]

_LEAST = 4  # per cent, so that a bar stays visible


def totals(numbers: Mapping[str, pd.Series], area: str = "") -> list[float | None]:
    """Give one number a period: of an area, or the sum over what is published; None without any."""
    found: list[float | None] = []
    for one in numbers.values():
        known = (one[one.index == area] if area else one).dropna()
        found.append(float(known.sum()) if len(known) else None)
    return found


def heights(values: Sequence[float | None]) -> list[int]:
    """Scale values to per cent of the highest bar; 0 for no number."""
    top = max((v for v in values if v is not None), default=0.0)
    return [0 if v is None or top <= 0 else max(_LEAST, round(100 * v / top)) for v in values]


def unfinished(period: str, last: str | None) -> bool:
    """Say whether a period ends after the last day of the records."""
    if not last:
        return False
    return Period.parse(period).end > date.fromisoformat(last)


def drawn(when: str, totals: Mapping[str, float | None], now: str, last: str | None) -> Markup:
    """Draw the words of the period, one bar a period and the years below.

    The slider that lies over the bars says their numbers in words.
    """
    bars = []
    for period, height in zip(totals, heights(list(totals.values())), strict=True):
        classes = ["now"] if period == now else []
        if unfinished(period, last):
            classes.append("unfinished")
        named = html(' class="{}"', " ".join(classes)) if classes else ""
        bars.append(html('<i{} style="height:{}%"></i>', named, height))
    graph = (
        html('<div class="bars time n{}">{}</div>{}', len(bars), joined(bars), _years(list(totals)))
        if bars
        else ""
    )
    return html(
        '<div class="when"><p>{}</p><div class="graph" aria-hidden="true">{}</div></div>', when, graph
    )


def _years(periods: Sequence[str]) -> Markup:
    """Write the year under the first bar of each calendar year."""
    years = [Period.parse(period).start.year for period in periods]
    spans = []
    for place, year in enumerate(years):
        if place == 0 or year != years[place - 1]:
            spans.append(html('<b style="flex:{}">{}</b>', years.count(year), year))
    return html('<div class="years">{}</div>', joined(spans))
