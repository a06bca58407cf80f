"""The map of a plan: the share of need that is met by area, today or as planned, and moves as arrows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from dashboard import map as live_map
from dashboard.map import Arrow, Mark
from dashboard.narrative.moves import word_move
from dashboard.pages.reallocate.planner import speak
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, html, translate
from data.tables.states import STATES
from geo.layers.core import LayerData, Legend, Style, breaks, palette
from geo.layers.core.words import describe_state
from risk.planning.summary import PlanSummary

TODAY, PLANNED = "today", "planned"
VIEWS = {TODAY: "Today", PLANNED: "With the plan"}
_LOWS = (10.0, 20.0, 35.0, 50.0)
_THIN, _THICK = 2.0, 9.0


def describe_layer(current: CurrentRelease, plan: PlanSummary, view: str) -> Mark:
    """Return the layer of a view: the share of need that is met in each area."""
    met = {code: 100 * share for code, share in plan.met_shares(view).items()}
    codes = list(load_areas(current.release).map_geometry(plan.setting.level)["codes"])
    value = pd.Series(met, dtype=float).reindex(codes).round()
    frame = pd.DataFrame(
        {
            "value": value,
            "state": np.where(value.notna(), "number", "no_data"),
            **dict.fromkeys(("margin", "low", "high", "year"), np.nan),
            "source": "",
            "note": "",
        },
        index=codes,
    )
    labels = tuple(translate(label) for label in breaks.format_classes(_LOWS, whole=False, sign=" %"))
    style = Style("fill", _LOWS, palette.choose_colours(palette.COVERAGE, len(labels)), labels)
    source = _("Plan on release {name}, average estimate of the risk model", name=current.release.name)
    title = _("Need met today") if view == TODAY else _("Need met with the plan")
    unit = _("% of the children in need")
    legend = Legend(title, unit, _("per quarter"), source)
    words: dict[str, str] = {state: translate(describe_state(state, current.release.k)) for state in STATES}
    return Mark(LayerData(frame, style, legend, current.release.invented), title, unit, labels, words)


def draw_arrows(current: CurrentRelease, plan: PlanSummary) -> list[Arrow]:
    """Return an arrow for each flow between areas; its width shows the units; the narrowest last, on top."""
    t, centres = speak(current), load_areas(current.release).centres(plan.setting.level)
    flows = plan.sum_flows()
    most = max((units for _start, _end, units in flows), default=1)
    return [
        Arrow(
            _place(centres, start),
            _place(centres, end),
            _THIN + (_THICK - _THIN) * (units - 1) / max(most - 1, 4),
            "; ".join(word_move(t, move) for move in plan.moves if (move.start, move.end) == (start, end)),
        )
        for start, end, units in flows
    ]


def _place(centres: pd.DataFrame, code: str) -> tuple[float, float]:
    return float(centres["lat"][code]), float(centres["lon"][code])


def describe_view(current: CurrentRelease, plan: PlanSummary, view: str) -> str:
    """Return the values of the view for the map."""
    codes = list(load_areas(current.release).map_geometry(plan.setting.level)["codes"])
    layer = live_map.describe_layer(describe_layer(current, plan, view), codes)
    return live_map.describe_map([layer], plan.setting.level, arrows=draw_arrows(current, plan))


def word_arrows(plan: PlanSummary) -> Markup:
    """Return the legend of the arrows; empty if nothing moves."""
    if not plan.moves:
        return Markup("")
    text = _("Arrows show where units move from and to; wider arrows mean more units.")
    return html('<section class="ways"><ul class=rows><li><i class=way></i>{}</li></ul></section>', text)
