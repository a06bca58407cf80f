"""How well the risk model has predicted, in words and pictures, from the evaluation kept with its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from dashboard.narrative import risk as narrative
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _
from data.tables.periods import Period

_MODEL = "risk model"
_BUDGET = 0.2
HEIGHT = 260
_INK, _MUTED, _ACCENT, _OTHER = "#1D2433", "#5B6575", "#0F6B66", "#9EA5AF"


def instead(current: CurrentRelease) -> pd.DataFrame:
    """Word what is forecast: area, pathway, and each quarter as "4 (1 – 8)", with an 80 % interval.

    Where the model was measured and is not better it is the historical mean's (risk/report/__init__.py).
    """
    rows = current_release.read_table(current, "forecast_region_quarter_crossing")
    ends = zip(rows["value"], rows["lower"], rows["upper"], strict=True)
    rows = rows.assign(told=[f"{middle:.0f} ({low:.0f} – {high:.0f})" for middle, low, high in ends])
    wide = rows.pivot_table(
        index=["area", "crossing"], columns="period", values="told", aggfunc="first", sort=False
    )
    wide = wide.rename(columns=lambda period: Period.parse(str(period)).label).reset_index()
    return wide.assign(
        area=current_release.read_area_names(current).reindex(wide["area"]).to_numpy(),
        crossing=wide["crossing"].map(narrative.name_pathways()),
    ).rename(columns={"area": _("Area"), "crossing": _("Pathway")})


def calibration(told: Mapping[str, Any]) -> alt.Chart:
    """Draw how many counts lay in the 50, 80 and 95 % intervals of the model, beside how many should."""
    found = next(row for row in told["calibration"] if row["forecaster"] == _MODEL)
    rows = pd.DataFrame(
        [(f"{level} %", level / 100, float(found[f"in_{level}"])) for level in (50, 80, 95)],
        columns=["level", "wanted", "held"],
    )
    base = alt.Chart(rows, title=_("Counts that lay within the interval")).encode(
        y=alt.Y("level:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False, labelFontSize=13))
    )
    tooltip = [
        alt.Tooltip("level:N", title=_("interval")),
        alt.Tooltip("held:Q", title=_("lay within"), format=".0%"),
    ]
    bars = base.mark_bar(color=_ACCENT, height=14).encode(
        x=alt.X(
            "held:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)
        ),
        tooltip=tooltip,
    )
    wanted = base.mark_tick(color=_INK, thickness=2.5, size=26).encode(x="wanted:Q", tooltip=tooltip)
    return _finished(bars + wanted)


def hits(told: Mapping[str, Any]) -> alt.Chart:
    """Draw what share of the children a fifth of the areas would have held, chosen by each forecast."""
    rows = pd.DataFrame(told["hits"])
    rows = rows[(rows["of"] == "areas") & np.isclose(rows["budget"].astype(float), _BUDGET)]
    rows = rows.assign(own=rows["forecaster"] == _MODEL).sort_values("hit_rate", ascending=False)
    base = alt.Chart(rows, title=_("Children found in the fifth of areas that each forecast names")).encode(
        y=alt.Y(
            "forecaster:N",
            title=None,
            sort=list(rows["forecaster"]),
            axis=alt.Axis(
                ticks=False,
                domain=False,
                labelFontSize=13,
                labelLimit=220,
                labelOverlap=False,
                labelFlush=False,
            ),
        ),
        color=alt.condition("datum.own", alt.value(_ACCENT), alt.value(_OTHER)),
        tooltip=[
            alt.Tooltip("forecaster:N", title=_("forecast")),
            alt.Tooltip("hit_rate:Q", title=_("share of children"), format=".0%"),
            alt.Tooltip("hit_low:Q", title=_("from"), format=".0%"),
            alt.Tooltip("hit_high:Q", title=_("to"), format=".0%"),
        ],
    )
    x = alt.X(
        "hit_low:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)
    )
    ends = base.mark_rule(strokeWidth=2).encode(x=x, x2="hit_high:Q")
    return _finished(ends + base.mark_circle(size=80, opacity=1).encode(x="hit_rate:Q"))


def _finished(chart: alt.LayerChart) -> alt.Chart:
    plain: alt.Chart = chart.properties(height=HEIGHT).configure_view(stroke=None)
    done: alt.Chart = plain.configure_axisX(labelColor=_MUTED).configure_title(anchor="start", fontSize=14)
    return done


def scores(told: Mapping[str, Any]) -> pd.DataFrame:
    """List each forecast's mean score by how many quarters ahead, the best first; smaller is better."""
    rows = pd.DataFrame(told["scores"])
    wide = rows.pivot_table(index="forecaster", columns="ahead", values="crps")
    wide = wide.sort_values(wide.columns[0]).map(lambda score: f"{score:.2f}")
    ahead = [_("{n} quarters ahead", n=n) for n in map(str, wide.columns)]
    wide = wide.set_axis([_("Next quarter"), *ahead[1:]], axis=1)
    return wide.rename_axis(_("Forecast")).reset_index()
