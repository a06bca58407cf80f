"""The strip of periods below the map: a bar for each period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from markupsafe import Markup

from dashboard.site.text import _, format_number, format_period, format_quantity, html, join_markup, translate
from data.tables.periods import Period
from data.tables.states import ZEROS
from geo.layers.core import LayerData

_LEAST = 4  # per cent: the lowest height of a bar with a number, so that it is visible
_NEAR_ZERO = ("almost_none", "not_searched")  # states of cells that add zero, with the noise of a number


@dataclass(frozen=True)
class Total:
    """The entry of a period: a number with its margin, or a state.

    value : None without a number. least : whether the value is a lower limit. state, words : without a number, the
    state that all areas have and its words, or "named" and words; empty if the states differ.
    """

    value: float | None
    margin: float = 0.0
    least: bool = False
    state: str = ""
    words: str = ""


def compute_totals(
    frames: Mapping[str, pd.DataFrame], area: str, words: Mapping[str, str], reach: float
) -> list[Total]:
    """Return the total of each period: of an area, or if `area` is empty, the sum over all areas.

    A sum adds the published values and their margins; the lower end stands for a range. It is a lower limit if a cell
    has neither a number nor a zero. frames : for each period, the rows of the layer, one for each area. words : the
    words for each state. reach : the largest true count behind a published zero (`Release.find_reach`).
    """
    return [_sum_total(frame[frame.index == area] if area else frame, words, reach) for frame in frames.values()]


def _sum_total(frame: pd.DataFrame, words: Mapping[str, str], reach: float) -> Total:
    known = frame["value"].fillna(frame["low"])
    if not known.notna().any():
        states = set(frame["state"])
        state = str(states.pop()) if len(states) == 1 else ""
        return Total(None, state=state, words=words.get(state, ""))
    noise = reach if frame["margin"].notna().any() else 0.0  # days of outreach are exact
    margin = frame["margin"].mask(frame["margin"].isna() & frame["state"].isin(_NEAR_ZERO), noise)
    least = frame["value"].isna() & ~frame["state"].isin(ZEROS)
    return Total(float(known.sum()), float(margin.sum()), bool(least.any()))


def judge_totals(layers: Sequence[LayerData], area: str, words: Mapping[str, str]) -> list[Total]:
    """Return the entries of the strip for layers whose values cannot be summed over areas, one for each of `layers`.

    The entry of an area is its number, or the words of its class or state. If `area` is empty, the entry says how many
    areas have a value.
    """
    return [_judge_area(data, area, words) if area else _count_known(data) for data in layers]


def _judge_area(data: LayerData, area: str, words: Mapping[str, str]) -> Total:
    if area not in data.frame.index or data.frame.loc[area, "state"] != "class":
        return _sum_total(data.frame[data.frame.index == area], words, reach=0.0)  # one area adds nothing
    return Total(None, state="named", words=translate(data.texts()[area]))


def _count_known(data: LayerData) -> Total:
    known = int(data.frame["state"].isin(["number", "class"]).sum())
    text = _("shown for {known} of {all} areas", known=known, all=len(data.frame))
    return Total(None, state="named", words=text)


def format_total(period: str, total: Total) -> str:
    """Return the name of a period with its number and margin, or with the words for its state."""
    return f"{format_period(period)}: {_format_value(total)}"


def _format_value(total: Total) -> str:
    if total.value is None:
        return total.words or _("no number")
    value = translate(format_quantity(None, total.value)) if total.least else format_number(total.value)
    return f"{value}{f' ±{format_number(total.margin)}' if total.margin else ''}"


def compute_heights(values: Sequence[float | None]) -> list[int]:
    """Return the height of each bar in per cent of the highest bar, at least 4.

    The height is 0 without a number, and for all bars if no number is above 0.
    """
    top = max((v for v in values if v is not None), default=0.0)
    return [0 if v is None or top <= 0 else max(_LEAST, round(100 * v / top)) for v in values]


def is_unfinished(period: str, last: str | None) -> bool:
    """Return whether a period ends after `last`, the last day of the records in ISO form; False without such a day."""
    if not last:
        return False
    return Period.parse(period).end > date.fromisoformat(last)


def render_strip(when: str, totals: Mapping[str, Total], now: str, last: str | None) -> Markup:
    """Return the strip: the name of the period (`when`), a bar for each period, and the years below.

    now : the id of the period on the map. last : as for `is_unfinished`. The slider over the bars gives their numbers
    to screen readers, and shows the words of the bar under the mouse. All these words are in one attribute, because in
    each bar they would make every change larger.
    """
    heights = compute_heights([total.value for total in totals.values()])
    bars = [
        render_bar(
            height,
            is_now=period == now,
            is_unfinished=is_unfinished(period, last),
            state=total.state if total.value is None else "",
        )
        for (period, total), height in zip(totals.items(), heights, strict=True)
    ]
    graph = (
        html(
            '{}<div class="bars time n{}" data-words="{}">{}</div>{}',
            _render_scale(totals),
            len(bars),
            "\n".join(format_total(period, total) for period, total in totals.items()),
            join_markup(bars),
            _render_years(list(totals)),
        )
        if bars
        else ""
    )
    return html("<div class=when><p>{}</p><div class=graph aria-hidden=true>{}</div></div>", when, graph)


def render_bar(height: int, *, is_now: bool, is_unfinished: bool, state: str) -> Markup:
    """Return a bar of a height in per cent. state : of a period without a number; empty for any other."""
    marks = {"now": is_now, "unfinished": is_unfinished, f"state-{state}": state != ""}
    classes = " ".join(name for name, is_shown in marks.items() if is_shown)
    return html("<i{} style=height:{}%></i>", html(' class="{}"', classes) if classes else "", height)


def _render_scale(totals: Mapping[str, Total]) -> Markup:
    """Return the scale of the bars: the largest value at the top, and zero at the bottom; empty without numbers."""
    largest = max((t for t in totals.values() if t.value is not None), key=lambda t: t.value or 0.0, default=None)
    if largest is None:
        return Markup("")
    return html(
        "<div class=scale><b>{}{}</b><b>0</b></div>", "≥" if largest.least else "", format_number(largest.value)
    )


def _render_years(periods: Sequence[str]) -> Markup:
    """Return the calendar years, each under the first of its bars."""
    years = [Period.parse(period).start.year for period in periods]
    spans = []
    for place, year in enumerate(years):
        if place == 0 or year != years[place - 1]:
            spans.append(html("<b style=flex:{}>{}</b>", years.count(year), year))
    return html("<div class=years>{}</div>", join_markup(spans))
