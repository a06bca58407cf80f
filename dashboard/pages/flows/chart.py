"""A chart of the share of internal trafficking by year, with its 95 % interval."""

from __future__ import annotations

import altair as alt
import pandas as pd

from dashboard.site.text import _

_SHARE, _HEIGHT, _WIDTH = "#0F6B66", 190, 170


def draw_shares(rows: pd.DataFrame) -> alt.FacetChart:
    """Return a chart with a dot and its 95 % interval for each year, with a panel for each place.

    rows : as `read_shares` returns them; shares are in per cent.
    """
    y = alt.Y("share:Q", scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(title=None, tickCount=5, domain=False))
    years = list(dict.fromkeys(rows["short"]))
    base = alt.Chart(rows).encode(
        x=alt.X(
            "short:O",
            sort=years,
            axis=alt.Axis(title=None, labelAngle=0, labelOverlap=False, labelFlush=False, ticks=False),
        ),
        tooltip=[alt.Tooltip("year:N", title=_("year")), alt.Tooltip("words:N", title=_("share of internal"))],
    )
    rules = base.mark_rule(color=_SHARE, strokeWidth=2, opacity=0.45).encode(y=alt.Y("low:Q"), y2="high:Q")
    lines = base.mark_line(color=_SHARE, strokeWidth=1.5, opacity=0.6).encode(y=y)
    dots = base.mark_circle(color=_SHARE, size=70, opacity=1).encode(y=y)
    title = _("Share of internal trafficking, % (estimate with 95 % interval)")
    header = alt.Header(title=None, labelFontSize=13, labelFontWeight=600)
    drawn: alt.FacetChart = (
        alt.layer(rules, lines, dots)
        .properties(height=_HEIGHT, width=_WIDTH)
        .facet(column=alt.Column("place:N", sort=list(dict.fromkeys(rows["place"])), header=header))
        .properties(title=title, description=title)
        .configure_view(stroke=None)
        .configure_title(anchor="start", fontSize=14)
    )
    return drawn
