"""The map of a plan: the share of need that is met in each area, today or with the plan, and moves as arrows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from dashboard import map as live_map
from dashboard.briefing.map import LOWS
from dashboard.map import Arrow, Mark
from dashboard.narrative.moves import word_move
from dashboard.pages.reallocate.planner import speak
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, html, translate
from data.message import mark
from data.tables.states import STATES
from geo.areas import Areas
from geo.islands import find_town
from geo.layers.core import LayerData, Legend, Style, breaks, palette
from geo.layers.core.words import describe_state
from risk.planning.summary import PlanSummary

TODAY, PLANNED, DIFFERENCE = "today", "planned", "difference"
VIEWS = {TODAY: mark("Today"), PLANNED: mark("Planned"), DIFFERENCE: mark("Difference")}
# Percentage points. Values have one decimal: 5.0 less is in the class of "5 points less", as 5.0 more is in its own.
_STEPS = (-4.95, -0.45, 0.5, 5.0)
_THIN, _THICK = 2.0, 9.0


def describe_layer(current: CurrentRelease, plan: PlanSummary, view: str) -> Mark:
    """Return the layer of a view (a key of VIEWS): the share of need met in each area of the plan's level.

    Values are whole per cent; for the difference, percentage points with one decimal.
    """
    codes = list(load_areas(current.release).map_geometry(plan.setting.level)["codes"])
    value = _read_shares(plan, view).reindex(codes).round(0 if view != DIFFERENCE else 1)
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
    source = _("Average estimate on release {name}", name=current.release.name)
    titles = {
        TODAY: _("Need met today"),
        PLANNED: _("Need met with the plan"),
        DIFFERENCE: _("Difference that the plan makes"),
    }
    unit = _("percentage points of need met") if view == DIFFERENCE else _("% of the children in need")
    style = _choose_style(view)
    legend = Legend(titles[view], unit, _("per quarter"), source)
    words: dict[str, str] = {state: translate(describe_state(state, current.release.k)) for state in STATES}
    return Mark(LayerData(frame, style, legend, current.release.invented), titles[view], unit, style.labels, words)


def _read_shares(plan: PlanSummary, view: str) -> pd.Series:
    """Return the share of need met in each area, by code, in per cent.

    For the view of the difference it is planned minus today, in percentage points.
    """
    shares = {name: 100.0 * pd.Series(plan.met_shares(name), dtype=float) for name in (TODAY, PLANNED)}
    return shares[PLANNED] - shares[TODAY] if view == DIFFERENCE else shares[view]


def _choose_style(view: str) -> Style:
    if view != DIFFERENCE:
        labels = tuple(translate(label) for label in breaks.format_classes(LOWS, whole=False, sign=" %"))
        return Style("fill", LOWS, palette.choose_colours(palette.COVERAGE, len(labels)), labels)
    labels = (
        _("5 points less, or lower"),
        _("up to 5 points less"),
        _("about the same"),
        _("up to 5 points more"),
        _("5 points more, or higher"),
    )
    return Style("fill", _STEPS, palette.GAIN, labels)


def draw_arrows(current: CurrentRelease, plan: PlanSummary) -> list[Arrow]:
    """Return an arrow for each pair of areas between which units move, with the numbers of these moves.

    There are none unless the plan advises its moves. The width shows the number of units. The narrowest arrow is last,
    so that it lies on top.
    """
    t, areas = speak(current), load_areas(current.release)
    flows = plan.sum_flows() if plan.advised else []
    most = max((units for _start, _end, units in flows), default=1)
    arrows = []
    for start, end, units in flows:
        moves = {number: move for number, move in enumerate(plan.moves, 1) if (move.start, move.end) == (start, end)}
        width = _THIN + (_THICK - _THIN) * (units - 1) / max(most - 1, 4)
        label = "; ".join(word_move(t, move) for move in moves.values())
        sign = ", ".join(map(str, moves))
        arrows.append(Arrow(_place(areas, start), _place(areas, end), width, label, sign=sign))
    return arrows


def _place(areas: Areas, code: str) -> tuple[float, float]:
    town = find_town(code)
    centres = areas.centres(str(areas.rows[town]["level"]))
    return float(centres["lat"][town]), float(centres["lon"][town])


def describe_view(current: CurrentRelease, plan: PlanSummary, view: str) -> str:
    """Return a view (a key of VIEWS) for the map as a JavaScript literal."""
    codes = list(load_areas(current.release).map_geometry(plan.setting.level)["codes"])
    layer = live_map.describe_layer(describe_layer(current, plan, view), codes)
    return live_map.describe_map([layer], plan.setting.level, arrows=draw_arrows(current, plan))


def word_arrows(plan: PlanSummary) -> Markup:
    """Return the legend of the arrows; empty if there are none."""
    if not plan.advised:
        return Markup("")
    text = _("Moves by number; wider: more units")
    return html('<section class="ways"><ul class=rows><li><i class=way></i>{}</li></ul></section>', text)
