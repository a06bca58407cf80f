"""The frontier of a plan: the gains of plans with more or fewer moves, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboard.narrative.speech import Speech
from dashboard.site.text import _
from risk.planning.result import Point
from risk.planning.summary import Verdict

BY = {"moved": "Units that move", "cost": "Hours of travel"}
_INK, _ACCENT = "#3B4252", "#0F6B66"


def tabulate_points(points: Sequence[Point]) -> pd.DataFrame:
    """Return a table with a row for each point.

    Columns: moved (units), cost (hours of travel), gain, low and high (children per quarter, with the 95 % interval),
    sure (per cent) and advised. Points with the same moved, cost and gain have one row.
    """
    rows = [
        {
            "moved": point.moved,
            "cost": point.cost,
            "gain": point.gain.mean,
            "low": point.gain.low,
            "high": point.gain.high,
            "sure": 100 * point.probability,
            "advised": point.recommended,
        }
        for point in points
    ]
    return pd.DataFrame(rows).drop_duplicates(["moved", "cost", "gain"]) if rows else pd.DataFrame()


def tabulate_words(t: Speech, points: Sequence[Point]) -> pd.DataFrame:
    """Return a table in words with a row for each point; equal rows are shown once."""
    rows = [
        (
            t.format_number(point.moved),
            t.format_number(point.cost),
            t.format_gain(point.gain),
            t.format_chance(point.probability),
        )
        for point in points
    ]
    head = [
        _("Units that move"),
        _("Hours of travel"),
        _("Gain, children per quarter (95 %)"),
        _("Chance that it brings more than it costs"),
    ]
    return pd.DataFrame(rows, columns=head).drop_duplicates()


def draw_frontier(points: Sequence[Point], axis: str, verdict: Verdict) -> alt.Chart:
    """Return a chart of the gains; points that are advised are filled, and a ring marks the plan.

    axis : "moved" (units) or "cost" (hours of travel). verdict : that of the plan.
    """
    rows = tabulate_points(points)
    x = alt.X(f"{axis}:Q", title=_(BY[axis]), axis=_axis(), scale=alt.Scale(zero=True, nice=True))
    title = _("Gain, children per quarter")
    base = alt.Chart(rows).encode(x=x, tooltip=_tooltips())
    line = base.mark_line(color="#C5CBD3", strokeWidth=1.5).encode(y=alt.Y("gain:Q", title=title, axis=_axis()))
    spans = base.mark_rule(color=_INK, strokeWidth=1.4).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    filled = alt.condition(alt.datum.advised, alt.value(_ACCENT), alt.value("#FFFFFF"))
    dots = base.mark_circle(size=110, opacity=1, stroke=_ACCENT, strokeWidth=2).encode(y="gain:Q", color=filled)
    here = pd.DataFrame({axis: [verdict.cost if axis == "cost" else verdict.moved], "gain": [verdict.gain.mean]})
    ring = alt.Chart(here).mark_point(size=420, color="#9A3412", strokeWidth=2, opacity=1).encode(x=x, y="gain:Q")
    # Points by hours may not be in the order of the moves, so no line connects them.
    lowest = [line, spans] if axis == "moved" else [spans]
    chart: alt.Chart = alt.layer(*lowest, dots, ring).properties(height=260).configure_view(stroke=None)
    return chart


def _axis() -> alt.Axis:
    return alt.Axis(gridColor="#E8EBEE", labelFontSize=12.5, titleFontSize=13, ticks=False, tickMinStep=1)


def _tooltips() -> Sequence[alt.Tooltip]:
    return [
        alt.Tooltip("moved:Q", title=_("units that move")),
        alt.Tooltip("cost:Q", title=_("hours of travel"), format=".0f"),
        alt.Tooltip("gain:Q", title=_("gain, children"), format=".1f"),
        alt.Tooltip("low:Q", title=_("95 % interval from"), format=".1f"),
        alt.Tooltip("high:Q", title=_("to"), format=".1f"),
        alt.Tooltip("sure:Q", title=_("sure, %"), format=".0f"),
    ]
