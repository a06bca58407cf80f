"""The rates of a country's areas with their intervals, highest first: one chart for each country."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
from markupsafe import Markup

from dashboard.narrative.risk import format_statement, name_claim
from dashboard.site.text import _, html, join_markup
from geo.layers.core import palette
from geo.layers.risk import RATES

_INK, _UNSURE, _STEP = "#3B4252", "#FFFFFF", 30
_STRENGTHS = {"likely": 0.55}  # of the colour; very likely is full
_WIDEST = (0.1, 10.0)
_TICKS = (0.1, 0.25, 0.5, 1, 2, 4, 8)


def draw_rates(frame: pd.DataFrame, title: str, area: str = "") -> alt.Chart:
    """Draw the areas of one country, see narrative.risk.read_area_rates. The chosen area's name is bold."""
    rows = frame.reset_index().assign(
        claim_name=[name_claim(code) for code in frame["claim"]],
        statement=[format_statement(row) for row in frame.to_dict("records")],
        strength=[_STRENGTHS.get(code, 1.0) for code in frame["certainty"]],
        sure=100 * frame["probability"].to_numpy(),
        low=frame["lower"].clip(lower=_WIDEST[0]).to_numpy(),
        high=frame["upper"].clip(upper=_WIDEST[1]).to_numpy(),
    )
    chosen = str(frame.loc[area, "name"]) if area in frame.index else ""
    base = alt.Chart(rows, title=title).encode(y=_make_y_axis(rows, chosen), tooltip=_make_tooltips())
    rate = alt.X(
        "low:Q",
        title=_("times the national average"),
        scale=alt.Scale(type="log", domain=list(_WIDEST), nice=False),
        axis=_make_axis(),
    )
    spans = base.mark_rule(color=_INK, strokeWidth=1.4).encode(x=rate, x2="high:Q")
    dots = base.mark_circle(size=110, stroke=_INK, strokeWidth=1.2).encode(
        x="median:Q",
        color=alt.Color("claim_name:N", scale=_make_scale(), legend=None),
        fillOpacity=alt.FillOpacity("strength:Q", scale=None),
    )
    line = alt.Chart(pd.DataFrame({"one": [1.0]})).mark_rule(color="#0F6B66", strokeWidth=1.5).encode(x="one:Q")
    layered = alt.layer(line, spans, dots).properties(height=_STEP * len(rows))
    styled: alt.Chart = layered.configure_view(stroke=None).configure_title(anchor="start", fontSize=15)
    return styled


def _make_y_axis(rows: pd.DataFrame, chosen: str) -> alt.Y:
    bold = alt.condition(alt.datum.value == chosen, alt.value("bold"), alt.value("normal"))
    axis = alt.Axis(
        ticks=False,
        domain=False,
        labelFontSize=13,
        labelLimit=190,
        labelFontWeight=bold,
        labelOverlap=False,
        labelFlush=False,
    )
    return alt.Y("name:N", title=None, sort=list(rows["name"]), axis=axis)


def _make_axis() -> alt.Axis:
    return alt.Axis(values=list(_TICKS), format="~g", gridColor="#E8EBEE", labelFontSize=12.5, ticks=False)


def _make_scale() -> alt.Scale:
    return alt.Scale(domain=[*map(name_claim, RATES), name_claim("")], range=[*palette.RISK, _UNSURE])


def _make_tooltips() -> Sequence[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=_("area")),
        alt.Tooltip("statement:N", title=_("rate")),
        alt.Tooltip("median:Q", title=_("times the national average"), format=".2f"),
        alt.Tooltip("lower:Q", title=_("95 % interval from"), format=".2f"),
        alt.Tooltip("upper:Q", title=_("to"), format=".2f"),
        alt.Tooltip("sure:Q", title=_("chance of what is said first, %"), format=".0f"),
    ]


def render_key() -> Markup:
    """Return what the colours, the line and the intervals mean."""
    marks = [*zip(map(name_claim, RATES), palette.RISK, strict=True), (name_claim(""), _UNSURE)]
    dots = join_markup(html('<li><i style="background:{}"></i>{}</li>', colour, name) for name, colour in marks)
    sentence = _(
        "Each dot is an area's rate compared with the national average (green line, 1); the line "
        "through the dot is the 95 % interval. A full colour is very likely, a pale one likely."
    )
    return html('<div class="caterpillar"><ul>{}</ul><p>{}</p></div>', dots, sentence)
