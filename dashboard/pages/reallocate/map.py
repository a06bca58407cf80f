"""The map of a plan: the share of need that is met by area, today or as planned, and moves as arrows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from dashboard import map as live_map
from dashboard.map import Arrow, Mark
from dashboard.pages.reallocate.summary import move_name
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, html, translate
from data.tables.states import STATES
from geo.layers.core import LayerData, Legend, Style, breaks, palette
from geo.layers.core.words import state_words

Told = Mapping[str, Any]

TODAY, PLANNED = "today", "planned"
VIEWS = {TODAY: "Today", PLANNED: "As planned"}
_LEVEL = "region"
_LOWS = (10.0, 20.0, 35.0, 50.0)
_THIN, _THICK = 2.0, 9.0


def mark_of(current: CurrentRelease, told: Told, view: str) -> Mark:
    """Give the layer of a view: the share of need that is met in each area."""
    met = {str(one["area"]): 100 * one[view] / one["need"] for one in told["coverage"] if one["need"]}
    codes = list(load_areas(current.release).map_geometry(_LEVEL)["codes"])
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
    labels = tuple(translate(one) for one in breaks.labels(_LOWS, whole=False, sign=" %"))
    style = Style("fill", _LOWS, palette.steps(palette.COVERAGE, len(labels)), labels)
    source = _(
        "Plan on release {name}; the mean of what the risk model holds possible", name=current.release.name
    )
    title = _("Need met today") if view == TODAY else _("Need met as planned")
    unit = _("% of the children in need")
    legend = Legend(title, unit, _("in a quarter"), source)
    words: dict[str, str] = {state: translate(state_words(state, current.release.k)) for state in STATES}
    return Mark(LayerData(frame, style, legend, current.release.invented), title, unit, labels, words)


def arrows(current: CurrentRelease, told: Told) -> list[Arrow]:
    """Draw one arrow from area to area, as wide as the units that go; the narrowest last, on top."""
    centres = load_areas(current.release).centres(_LEVEL)
    flows: dict[tuple[str, str], list[Told]] = {}
    for move in told["moves"]:
        flows.setdefault((move["start"], move["end"]), []).append(move)
    units = {way: sum(int(move["units"]) for move in listed) for way, listed in flows.items()}
    most = max(units.values(), default=1)
    return [
        Arrow(
            _place(centres, way[0]),
            _place(centres, way[1]),
            _THIN + (_THICK - _THIN) * (units[way] - 1) / max(most - 1, 4),
            "; ".join(move_name(current, move) for move in flows[way]),
        )
        for way in sorted(flows, key=lambda way: (-units[way], way))
    ]


def _place(centres: pd.DataFrame, code: str) -> tuple[float, float]:
    return float(centres["lat"][code]), float(centres["lon"][code])


def values(current: CurrentRelease, told: Told, view: str) -> str:
    """Describe the view for the map."""
    codes = list(load_areas(current.release).map_geometry(_LEVEL)["codes"])
    layer = live_map.describe_layer(mark_of(current, told, view), codes)
    return live_map.describe_map([layer], _LEVEL, arrows=arrows(current, told))


def key(told: Told) -> Markup:
    """Word the arrows in the legend; nothing where nothing moves."""
    if not told["moves"]:
        return Markup("")
    text = _("Units leave where an arrow begins and go where it points; wider means more units.")
    return html('<section class="ways"><ul class=rows><li><i class=way></i>{}</li></ul></section>', text)
