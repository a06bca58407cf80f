"""What the Situation page shows for a view: the map's values, the panel, the bars of time, the table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import streamlit as st
from markupsafe import Markup

from dashboard import mapview, panel, reading, strip
from dashboard.geometry import SHIPPED, SHORTENED
from dashboard.mapview import Mark
from dashboard.reading import Held, Options
from dashboard.state import Situation
from dashboard.text import _, html, translated
from data.periods import Period
from data.states import STATES
from geo.areas import Areas
from geo.layers import layer, together
from geo.layers.table import table as layer_table
from geo.layers.words import state_words

__all__ = [
    "base_map",
    "described",
    "fixed",
    "marks",
    "no_values",
    "table",
    "time_strip",
    "time_totals",
    "values",
]

# Smaller areas get smaller circles, so that neighbours do not cover each other.
_MOST = {"country": 28.0, "region": 22.0, "municipality": 15.0}


def fixed(of: Held) -> dict[str, Any]:
    """Give what never changes on the map while the boundaries stay."""
    return {"shapes": of.release.areas_checksum[:SHORTENED]}


def base_map() -> dict[str, Any]:
    """Give what never changes on a map without a release: the areas that ship with the product."""
    return {"shapes": SHIPPED}


def no_values() -> str:
    """Give the values of a map without a release."""
    return mapview.payload([], "region")


def marks(of: Held, view: Situation) -> list[tuple[str, Mark]]:
    """Read the layers of a view and word them, the main one first."""
    return [(name, _mark(of, name, view.level, view.period, view.key(name))) for name in view.layers]


@lru_cache(maxsize=4096)
def _mark(of: Held, name: str, level: str, period: str, options: Options) -> Mark:
    data = reading.read(of, name, level, period, options)
    words: dict[str, str] = {state: translated(state_words(state, of.release.k)) for state in STATES}
    labels = tuple(translated(label) for label in data.style.labels)
    title, unit = translated(data.legend.title), translated(data.legend.unit)
    return Mark(data, title, unit, labels, words, _MOST[level])


def values(of: Held, areas: Areas, view: Situation) -> str:
    """Describe the view for the map."""
    layers = [_values(of, areas, name, view.level, view.period, view.key(name)) for name in view.layers]
    return mapview.payload(layers, view.level, view.period, view.area, projector=view.projector)


@lru_cache(maxsize=4096)
def _values(of: Held, areas: Areas, name: str, level: str, period: str, options: Options) -> str:
    codes = areas.map_geometry(level)["codes"]
    return mapview.layer_values(_mark(of, name, level, period, options), codes)


def described(of: Held, areas: Areas, view: Situation) -> Markup:
    """Word the panel: the chosen area, or both countries."""
    shown = marks(of, view)

    def allowed(name: str) -> bool:
        return not together(of.tier, [*view.layers, name])

    if view.area:
        profile = reading.profile(of, view.area, view.period)
        return panel.area_panel(profile, shown, view.period, allowed)
    countries = areas.table.index[areas.table["level"] == "country"]
    profiles = [reading.profile(of, str(code), view.period) for code in countries]
    unmapped = [str(areas.table["name_en"][code]) for code in areas.missing(view.level)]
    return panel.overview(profiles, shown, _(layer(view.layer).question), unmapped, allowed)


def time_totals(of: Held, areas: Areas, view: Situation, listed: tuple[str, ...]) -> dict[str, float | None]:
    """Give one number a period: of the chosen area, or of both countries together."""
    level = str(areas.table["level"][view.area]) if view.area else _coarsest(of, view, listed)
    numbers = reading.series(of, view.layer, level, listed, view.key())
    return dict(zip(listed, strip.totals(numbers, view.area), strict=True))


def time_strip(of: Held, view: Situation, totals: Mapping[str, float | None]) -> Markup:
    """Draw the strip: the period in words, and a bar for each where there are several."""
    words = Period.parse(view.period).label if totals and view.period else _("Latest figures")
    several = totals if len(totals) > 1 else {}
    return strip.drawn(words, several, view.period, of.release.manifest["tact"].get("last"))


def _coarsest(of: Held, view: Situation, listed: tuple[str, ...]) -> str:
    """Give the coarsest level at which the layer has these periods: its numbers carry the least noise."""
    for level in reading.levels(of)[view.layer]:
        if reading.periods(of, view.layer, level, view.period, view.key()) == listed:
            return level
    return view.level


@st.dialog("Table", width="large")
def table(of: Held, view: Situation) -> None:
    """Show the same content as the map as a table, one for each layer."""
    for name, mark in marks(of, view):
        data = mark.data
        st.html(html("<h3>{}</h3><p>{}, {}</p>", mark.title, mark.unit, data.legend.period))
        shown = layer_table(of.release, layer(name), view.view(name), data)
        st.dataframe(shown, width="stretch", height=420)
        st.html(
            html('<p class="origin">{}. {}</p>', translated(data.legend.source), translated(data.legend.note))
        )
