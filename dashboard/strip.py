"""Time along the bottom: bars that show when things happened, before one moves the slider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
from markupsafe import Markup

from dashboard.text import _, html, joined, number, quantity
from data.periods import Period

__all__ = ["bars", "heights", "totals", "unfinished"]

_LEAST = 4  # per cent, so that a bar stays visible


def totals(frames: Mapping[str, pd.DataFrame], area: str = "") -> list[float | None]:
    """Give one number a period: of an area, or the sum over what is published at the level; None without any.

    A class counts with its lower bound, since nothing more is known.
    """
    found: list[float | None] = []
    for frame in frames.values():
        rows = frame.loc[[area]] if area else frame
        known = rows["value"].fillna(rows["low"]).dropna()
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


def bars(periods: Sequence[str], values: Sequence[float | None], now: str, last: str | None, kind: str) -> Markup:
    """Draw one bar a period; `kind` is a class of the style sheet. The words stand in each bar's title."""
    drawn = []
    for period, value, height in zip(periods, values, heights(values), strict=True):
        classes = ["bar", "now" if period == now else "", "unfinished" if unfinished(period, last) else ""]
        title = f"{Period.parse(period).label}: {_('no number') if value is None else number(value)}"
        drawn.append(
            html('<i class="{}" style="height:{}%" title="{}"></i>', " ".join(filter(None, classes)), height, title)
        )
    return html('<div class="bars {}" role="img" aria-label="{}">{}</div>', kind, _spoken(periods, values), joined(drawn))


def _spoken(periods: Sequence[str], values: Sequence[float | None]) -> str:
    pairs = zip(periods, values, strict=True)
    said = [f"{Period.parse(p).label}: {_('no number') if v is None else quantity(v)}" for p, v in pairs]
    return "; ".join(said)


def years(periods: Sequence[str]) -> Markup:
    """Write the year under the first bar of each calendar year."""
    seen: set[int] = set()
    labels = []
    for period in periods:
        year = Period.parse(period).start.year
        labels.append(html("<span>{}</span>", "" if year in seen else year))
        seen.add(year)
    return html('<div class="years" aria-hidden="true">{}</div>', joined(labels))
