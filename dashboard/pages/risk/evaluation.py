"""Charts and tables on how well the risk model has predicted."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from dashboard.narrative import risk as narrative
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, format_period, translate
from risk.evaluation.risk_model import MODEL
from risk.report.manifest import EvaluationSummary

_BUDGET = 0.2
_HEIGHT = 260
_INK, _ACCENT, _OTHER = "#1D2433", "#0F6B66", "#9EA5AF"


def tabulate_forecast(current: CurrentRelease) -> pd.DataFrame:
    """Return the forecast of children, a row for each area and pathway, a column for each quarter.

    A cell has the estimate and its 80 % interval, such as "4 (1 – 8)". The forecast comes from the model, or from the
    historical mean if the model did not beat it (risk/report/tables.py).
    """
    rows = current_release.read_table(current, "forecast_region_quarter_crossing")
    rows = rows[rows["value"].notna()]
    ends = zip(rows["value"], rows["lower"], rows["upper"], strict=True)
    rows = rows.assign(words=[f"{middle:.0f} ({low:.0f} – {high:.0f})" for middle, low, high in ends])
    wide = rows.pivot_table(index=["area", "crossing"], columns="period", values="words", aggfunc="first", sort=False)
    wide = wide.rename(columns=lambda period: format_period(str(period))).reset_index()
    return wide.assign(
        area=current_release.read_area_names(current).reindex(wide["area"]).to_numpy(),
        crossing=wide["crossing"].map(narrative.name_pathways()),
    ).rename(columns={"area": _("Area"), "crossing": _("Pathway")})


def _read_calibration(evaluation: EvaluationSummary) -> pd.DataFrame:
    """Return a row for each interval of the model, with the share of counts inside it.

    Columns: level (in words), wanted (the share that should be inside) and inside (the share that was), from 0 to 1.
    """
    row = evaluation.calibration.set_index("forecaster").loc[MODEL]
    return pd.DataFrame(
        [(f"{level} %", level / 100, row[f"in_{level}"]) for level in (50, 80, 95)],
        columns=["level", "wanted", "inside"],
    )


def _read_hits(evaluation: EvaluationSummary) -> pd.DataFrame:
    """Return a row for each forecast, the best first.

    hit_rate (with its interval hit_low, hit_high) : the share (0 to 1) of the children who were met in the fifth of the
    areas that the forecast ranks highest. own : whether the forecast is that of the model.
    """
    rows = evaluation.hits
    rows = rows[(rows["of"] == "areas") & np.isclose(rows["budget"].astype(float), _BUDGET)]
    return rows.assign(own=rows["forecaster"] == MODEL).sort_values("hit_rate", ascending=False)


def tabulate_calibration(evaluation: EvaluationSummary) -> pd.DataFrame:
    """Return the content of `draw_calibration` as a table, a row for each interval."""
    rows = _read_calibration(evaluation)
    shares = [f"{share:.0%}" for share in rows["inside"]]
    return pd.DataFrame({_("interval"): rows["level"], _("lay within"): shares})


def tabulate_hits(evaluation: EvaluationSummary) -> pd.DataFrame:
    """Return the content of `draw_hits` as a table, a row for each forecast."""
    rows = _read_hits(evaluation)
    columns = {_("share of children"): "hit_rate", _("from"): "hit_low", _("to"): "hit_high"}
    shares = {name: [f"{share:.0%}" for share in rows[column]] for name, column in columns.items()}
    return pd.DataFrame({_("forecast"): rows["forecaster"].to_numpy(), **shares})


def draw_calibration(evaluation: EvaluationSummary) -> alt.LayerChart:
    """Return a chart of the share of counts in the 50, 80 and 95 % intervals of the model, and of that expected."""
    rows = _read_calibration(evaluation)
    base = alt.Chart(rows, title=_("Counts that lay within the interval")).encode(
        y=alt.Y("level:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False, labelFontSize=13))
    )
    tooltip = [
        alt.Tooltip("level:N", title=_("interval")),
        alt.Tooltip("inside:Q", title=_("lay within"), format=".0%"),
    ]
    bars = base.mark_bar(color=_ACCENT, height=14).encode(
        x=alt.X("inside:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)),
        tooltip=tooltip,
    )
    wanted = base.mark_tick(color=_INK, thickness=2.5, size=26).encode(x="wanted:Q", tooltip=tooltip)
    return alt.LayerChart(layer=[bars, wanted], height=_HEIGHT)


def draw_hits(evaluation: EvaluationSummary) -> alt.LayerChart:
    """Return a chart of the share of children met in the fifth of the areas that each forecast ranks highest."""
    rows = _read_hits(evaluation)
    base = alt.Chart(rows, title=_("Children identified or met in the fifth of areas that each forecast names")).encode(
        y=alt.Y(
            "forecaster:N",
            title=None,
            sort=list(rows["forecaster"]),
            axis=alt.Axis(
                ticks=False, domain=False, labelFontSize=13, labelLimit=220, labelOverlap=False, labelFlush=False
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
    x = alt.X("hit_low:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
    ends = base.mark_rule(strokeWidth=2).encode(x=x, x2="hit_high:Q")
    dots = base.mark_circle(size=80, opacity=1).encode(x="hit_rate:Q")
    return alt.LayerChart(layer=[ends, dots], height=_HEIGHT)


def tabulate_scores(evaluation: EvaluationSummary) -> pd.DataFrame:
    """Return the mean CRPS, in children, of each forecaster: a row for each, and a column for each quarter ahead.

    A smaller score is better; the best forecaster of the next quarter comes first.
    """
    wide = evaluation.scores.pivot_table(index="forecaster", columns="ahead", values="crps")
    wide = wide.sort_values(wide.columns[0]).map(lambda score: translate(f"{score:.2f}"))
    ahead = [_("{n} quarters ahead", n=n) for n in map(str, wide.columns)]
    wide = wide.set_axis([_("Next quarter"), *ahead[1:]], axis=1)
    return wide.rename_axis(_("Forecast")).reset_index()
