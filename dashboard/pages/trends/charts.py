"""Charts with a common time axis: children met, outreach, the share of internal trafficking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from dashboard.site.text import _
from data.tables.periods import Period

_COUNTS, _AHEAD, _DAYS, _SHARE, _INK, _BREAK = (
    "#1B4B8F", "#A5B8D4", "#9EA5AF", "#0F6B66", "#1D2433", "#9A3412",
)  # fmt: skip
_TALL, _LOW = 290, 150
_ROOM = 44  # pixels for the numbers of every picture, so that their times stand one below another
# States have a sign at the foot of the picture, never a bar.
_SIGNS = {"almost_none": "○", "not_searched": "╱", "few": "∴", "withheld": "╳", "structural_zero": "–"}
_OTHER = "·"


def draw_met(counted: pd.DataFrame, ahead: pd.DataFrame, breaks: Mapping[str, str]) -> alt.Chart:
    """Draw children met with the bounds of each number, and the model's forecast with its interval."""
    periods = [*counted["period"], *ahead["period"]]
    chart = _draw_bars(counted, periods, _COUNTS, _("children identified or met")) + _draw_signs(counted, periods)
    if len(ahead):
        chart = chart + _draw_bars(ahead, periods, _AHEAD, _("forecast"))
    for period, words in breaks.items():
        if period in periods:
            chart = chart + _draw_break(period, words, periods)
    return _style(
        chart, _("Children identified or met, and forecast") if len(ahead) else _("Children identified or met"), _TALL
    )


def draw_effort(days: pd.DataFrame, periods: Sequence[str], *, last: bool) -> alt.Chart:
    """Draw outreach days over the same periods. The last chart names them."""
    chart = _draw_bars(days, periods, _DAYS, _("outreach days"), named=last) + _draw_signs(days, periods, named=last)
    return _style(chart, _("Outreach days"), _LOW)


def draw_share(shares: pd.DataFrame, periods: Sequence[str]) -> alt.Chart:
    """Draw the model's share of internal trafficking with its 95 % interval."""
    base = alt.Chart(shares).encode(
        x=_make_x(periods, named=True), tooltip=_make_tooltips(_("share of internal trafficking, %"))
    )
    y = alt.Y("low:Q", scale=alt.Scale(domain=[0, 100]), axis=_make_axis(".0f"))
    band = base.mark_area(color=_SHARE, opacity=0.16, interpolate="monotone").encode(y=y, y2="high:Q")
    line = base.mark_line(color=_SHARE, strokeWidth=2, interpolate="monotone").encode(y="value:Q")
    dots = base.mark_circle(color=_SHARE, size=46, opacity=1).encode(y="value:Q")
    return _style(band + line + dots, _("Share of internal trafficking, % (estimate)"), _LOW + 50)


def list_signs(frames: Sequence[pd.DataFrame]) -> list[str]:
    """Return the meaning of the signs that occur in the charts."""
    words = {str(s): str(w) for f in frames for s, w in zip(f["state"], f["words"], strict=True)}
    states = (state for state in words if state not in ("number", "class"))
    return [f"{_SIGNS.get(state, _OTHER)} {words[state]}" for state in states]


def _draw_bars(
    rows: pd.DataFrame, periods: Sequence[str], colour: str, what: str, *, named: bool = True
) -> alt.LayerChart:
    """Draw a bar for each period and, if it is not exact, a line between its bounds."""
    base = alt.Chart(rows).encode(x=_make_x(periods, named=named), tooltip=_make_tooltips(what))
    bars = base.mark_bar(color=colour, width={"band": 0.72}).encode(y=alt.Y("value:Q", axis=_make_axis(",.0f")))
    ends = base.transform_filter("datum.high > datum.low").mark_rule(color=_INK, strokeWidth=1.2, aria=False)
    return alt.LayerChart(layer=[bars, ends.encode(y=alt.Y("low:Q"), y2="high:Q")])


def _draw_signs(rows: pd.DataFrame, periods: Sequence[str], *, named: bool = True) -> alt.Chart:
    without_number = rows[~rows["state"].isin(["number", "class"])]
    without_number = without_number.assign(sign=[_SIGNS.get(str(state), _OTHER) for state in without_number["state"]])
    text = alt.Chart(without_number).mark_text(dy=-8, fontSize=13, color="#5B6575", aria=bool(len(without_number)))
    signs: alt.Chart = text.encode(
        x=_make_x(periods, named=named), y=alt.datum(0), text="sign:N", tooltip=_make_tooltips(_("told"))
    )
    return signs


def _draw_break(period: str, words: str, periods: Sequence[str]) -> alt.Chart:
    row = pd.DataFrame({"period": [period], "words": [words]})
    rule = alt.Chart(row).mark_rule(color=_BREAK, strokeDash=[4, 3], strokeWidth=1.6, xOffset=-18)
    tooltip = alt.Tooltip("words:N", title=_("break in the series"))
    line: alt.Chart = rule.encode(x=_make_x(periods, named=True), tooltip=tooltip)
    return line


def _make_x(periods: Sequence[str], *, named: bool) -> alt.X:
    """Return the axis of periods, with a label at the first of each twelve months."""
    firsts = [Period.parse(period) for period in periods]
    words = {p.id: f"{p.start:%b %Y}" for p in firsts if p.start.month == firsts[0].start.month}
    table = ",".join(f"'{period}':'{word}'" for period, word in words.items())
    axis = alt.Axis(
        labelExpr=f"{{{table}}}[datum.value] || ''", labelAngle=0, ticks=False, title=None, labels=named,
        labelOverlap=False, labelFontSize=12.5,
    )  # fmt: skip
    return alt.X("period:O", scale=alt.Scale(domain=list(periods)), axis=axis)


def _make_axis(form: str) -> alt.Axis:
    return alt.Axis(
        title=None, format=form, tickCount=4, tickMinStep=1, ticks=False, domain=False,
        minExtent=_ROOM, maxExtent=_ROOM, labelFontSize=12.5, gridColor="#E8EBEE", labelFlush=False,
    )  # fmt: skip


def _make_tooltips(what: str) -> list[alt.Tooltip]:
    return [alt.Tooltip("label:N", title=_("period")), alt.Tooltip("words:N", title=what)]


def _style(chart: alt.LayerChart, title: str, height: int) -> alt.Chart:
    styled: alt.Chart = (
        chart.properties(height=height, title=title, description=title)
        .configure_view(stroke=None)
        .configure_title(anchor="start", fontSize=14)
    )
    return styled
