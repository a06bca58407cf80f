"""The large charts of the Trends page: children met over outreach, and the share of internal trafficking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import pandas as pd

from dashboard.site.text import _, format_month, format_number
from data.tables.periods import Period

_COUNTS, _AHEAD, _DAYS, _SHARE, _INK, _BREAK, _QUIET = (
    "#1B4B8F", "#7F9CC6", "#D3D8DE", "#0F6B66", "#1D2433", "#9A3412", "#5B6575",
)  # fmt: skip
_TALL = 250
_GAP, _LINE = 3, 17  # pixels above the chart at which the words on releases and on breaks are written
_UP, _DOWN = "▲", "▼"
# The sign at the foot of the chart for each state; a state never has a dot.
_SIGNS = {"almost_none": "○", "not_searched": "╱", "few": "∴", "withheld": "╳", "structural_zero": "–"}
_OTHER = "·"


@dataclass(frozen=True)
class Notes:
    """The notes in a chart, by quarter.

    breaks : sentences on breaks of the series. releases : names of the releases that end with the quarter. jumps :
    factors by which outreach differs from that of the four quarters before.
    """

    breaks: Mapping[str, str] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    jumps: Mapping[str, float] = field(default_factory=dict)


def draw_met(
    counted: pd.DataFrame, ahead: pd.DataFrame, days: pd.DataFrame, notes: Notes, most: float | None = None
) -> alt.LayerChart:
    """Return a chart of children met and the forecast as dots with their bounds, over grey bars of outreach days.

    counted, ahead, days : from `read_met`, `read_expected` and `read_effort`. most : the upper end of the axis of
    children, if two charts share it.
    """
    periods = [*counted["period"], *ahead["period"]]
    children = _draw_dots(counted, periods, _COUNTS, _("children identified or met"), most)
    without_number = counted[~counted["state"].isin(["number", "class"])]
    without_number = without_number.assign(sign=[_SIGNS.get(str(state), _OTHER) for state in without_number["state"]])
    text = alt.Chart(without_number).mark_text(dy=-8, fontSize=13, color=_QUIET, aria=bool(len(without_number)))
    x, tooltip = _make_x(periods), _make_tooltips(_("state"))
    children.append(text.encode(x=x, y=alt.datum(0), text="sign:N", tooltip=tooltip))
    if len(ahead):
        children += _draw_dots(ahead, periods, _AHEAD, _("forecast"), most)
    for period, words in notes.breaks.items():
        if period in periods:
            children += _draw_rule(period, words, periods, _BREAK, _("break in the series"), before=True)
    for period, words in notes.releases.items():
        if period in periods:
            children += _draw_rule(period, words, periods, _QUIET, _("release"), before=False)
    title = _("Children identified or met, and forecast") if len(ahead) else _("Children identified or met")
    if not len(days):
        return _layer(children, title)
    # Two groups, each with an axis of its own.
    groups = [alt.LayerChart(layer=_draw_effort(days, periods, notes.jumps)), alt.LayerChart(layer=children)]
    return _layer(groups, title, resolve=alt.Resolve(scale=alt.ScaleResolveMap(y="independent")))


def _draw_effort(days: pd.DataFrame, periods: Sequence[str], jumps: Mapping[str, float]) -> list[alt.Chart]:
    """Return charts of outreach days as grey bars with an axis on the right, and of an arrow on each jump.

    jumps : for each quarter with a jump, the factor.
    """
    base = alt.Chart(days).encode(x=_make_x(periods), tooltip=_make_tooltips(_("outreach days")))
    top = float(days["value"].max()) if days["value"].notna().any() else 1.0
    scale = alt.Scale(domain=[0, max(1.15 * top, 1.0)], nice=False)
    axis = _make_axis(",.0f", grid=False, orient="right", title=_("Outreach days"), titleColor=_QUIET, titleFontSize=12)
    bars = base.mark_bar(color=_DAYS, width={"band": 0.72}).encode(y=alt.Y("value:Q", axis=axis, scale=scale))
    breaks = days[days["period"].isin(jumps)]
    ratios = [jumps[period] for period in breaks["period"]]
    breaks = breaks.assign(
        sign=[_UP if ratio > 1 else _DOWN for ratio in ratios],
        words=[_("{ratio} times the four quarters before", ratio=format_number(round(ratio, 1))) for ratio in ratios],
    )
    arrows = (
        alt.Chart(breaks)
        .mark_text(dy=-7, fontSize=11, color=_QUIET, aria=bool(len(breaks)))
        .encode(
            x=_make_x(periods),
            y=alt.Y("value:Q", axis=axis, scale=scale),
            text="sign:N",
            tooltip=_make_tooltips(_("jump of outreach")),
        )
    )
    return [bars, arrows]


def draw_share(shares: pd.DataFrame) -> alt.LayerChart:
    """Return a chart of the model's share of internal trafficking in per cent, with its 95 % interval.

    shares : from `read_share`.
    """
    base = alt.Chart(shares).encode(
        x=_make_x(list(shares["period"])), tooltip=_make_tooltips(_("share of internal trafficking, %"))
    )
    y = alt.Y("low:Q", scale=alt.Scale(domain=[0, 100]), axis=_make_axis(".0f"))
    band = base.mark_area(color=_SHARE, opacity=0.16, interpolate="monotone").encode(y=y, y2="high:Q")
    line = base.mark_line(color=_SHARE, strokeWidth=2, interpolate="monotone").encode(y="value:Q")
    dots = base.mark_circle(color=_SHARE, size=46, opacity=1).encode(y="value:Q")
    return _layer([band, line, dots], _("Share of internal trafficking, % (estimate)"))


def list_signs(frames: Sequence[pd.DataFrame]) -> list[str]:
    """Return each sign for a state that occurs in these frames, with its meaning."""
    words = {str(s): str(w) for f in frames for s, w in zip(f["state"], f["words"], strict=True)}
    states = (state for state in words if state not in ("number", "class"))
    return [f"{_SIGNS.get(state, _OTHER)} {words[state]}" for state in states]


def name_signs(frames: Sequence[pd.DataFrame], notes: Notes) -> list[str]:
    """Return the legend of a chart as texts: dots, lines and bars, and the signs that occur in these frames."""
    jumps = [_("{up}{down} outreach jumps", up=_UP, down=_DOWN)] if notes.jumps else []
    return [_("● children; line: the true number lies on it; grey: outreach days"), *jumps, *list_signs(frames)]


def _draw_dots(
    rows: pd.DataFrame, periods: Sequence[str], colour: str, what: str, most: float | None
) -> list[alt.Chart]:
    """Return charts of a dot for each period and, if its number is not exact, of a line between its bounds."""
    scale = alt.Undefined if most is None else alt.Scale(domain=[0, most])
    base = alt.Chart(rows).encode(x=_make_x(periods), tooltip=_make_tooltips(what))
    ends = base.transform_filter("datum.high > datum.low").mark_rule(color=_INK, strokeWidth=1.6, aria=False)
    dots = base.mark_circle(color=colour, size=86, opacity=1, stroke="#fff", strokeWidth=1)
    y = alt.Y("value:Q", axis=_make_axis(",.0f"), scale=scale)
    return [ends.encode(y=alt.Y("low:Q", scale=scale), y2="high:Q"), dots.encode(y=y)]


def _draw_rule(
    period: str, words: str, periods: Sequence[str], colour: str, what: str, *, before: bool
) -> list[alt.Chart]:
    """Return charts of a dashed line at the beginning (`before`) or the end of a period, and of text above it.

    what : the text. words : the tooltip.
    """
    row = alt.Chart(pd.DataFrame({"period": [period], "words": [words]})).encode(
        x=alt.X("period:O", scale=alt.Scale(domain=list(periods)), bandPosition=0 if before else 1),
        tooltip=alt.Tooltip("words:N", title=what),
    )
    rule = row.mark_rule(color=colour, strokeDash=[4, 3], strokeWidth=1.6)
    left = periods.index(period) < len(periods) / 2
    name = row.mark_text(
        color=colour, fontSize=11, align="left" if left else "right", dx=4 if left else -4, baseline="bottom", limit=150
    ).encode(y=alt.value(-_LINE if before else -_GAP), text=alt.value(what))
    return [rule, name]


def _make_x(periods: Sequence[str]) -> alt.X:
    """Return the axis of periods, with a label at the first of each twelve months."""
    firsts = [Period.parse(period) for period in periods]
    words = {p.id: format_month(p.start) for p in firsts if p.start.month == firsts[0].start.month}
    table = ",".join(f"'{period}':'{word}'" for period, word in words.items())
    axis = alt.Axis(
        labelExpr=f"{{{table}}}[datum.value] || ''", labelAngle=0, ticks=False, title=None,
        labelOverlap="greedy", labelFontSize=11.5,
    )  # fmt: skip
    return alt.X("period:O", scale=alt.Scale(domain=list(periods)), axis=axis)


def _make_axis(form: str, **more: Any) -> alt.Axis:  # noqa: ANN401
    return alt.Axis(
        **{"title": None, "format": form, "tickCount": 4, "tickMinStep": 1, "ticks": False, "domain": False,
           "labelFontSize": 12.5, "gridColor": "#E8EBEE", "labelFlush": False, **more},
    )  # fmt: skip


def _make_tooltips(what: str) -> list[alt.Tooltip]:
    return [alt.Tooltip("label:N", title=_("period")), alt.Tooltip("words:N", title=what)]


def _layer(charts: Sequence[alt.Chart | alt.LayerChart], title: str, **more: Any) -> alt.LayerChart:  # noqa: ANN401
    """Return these charts as one chart. It is made in one step, because each step copies all charts."""
    look = alt.Config(background="transparent", view=alt.ViewConfig(stroke=None))
    return alt.LayerChart(layer=list(charts), height=_TALL, description=title, config=look, **more)
