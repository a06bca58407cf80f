"""What the Situation page shows for a view: the map's values, the panel, the bars of time, the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from markupsafe import Markup

from dashboard import mapview, panel, strip
from dashboard.mapview import Mark
from dashboard.reading import Held, read, series
from dashboard.state import Situation
from dashboard.text import _, html, joined, translated
from data.periods import Period
from data.states import STATES
from geo.areas import Areas
from geo.layers import layer
from geo.layers.profile import area_profile
from geo.layers.table import table as layer_table
from geo.layers.words import state_words

__all__ = [
    "base_map",
    "described",
    "fixed",
    "marks",
    "no_values",
    "period_words",
    "table",
    "time_bars",
    "values",
]

# What the buttons on the map go to: a label, and the areas that shall be in view.
_PLACES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Both", "country", ("AL", "GR")),
    ("Albania", "country", ("AL",)),
    ("Greece", "country", ("GR",)),
    ("Tirana and Durrës", "region", ("AL-11", "AL-02")),
)


# Smaller areas get smaller circles, so that neighbours do not cover each other.
_MOST = {"country": 28.0, "region": 22.0, "municipality": 15.0}


def _words() -> dict[str, str]:
    return {
        "map": _("Map of Albania and Greece. Arrow keys move it, plus and minus zoom. The table holds the same content."),
        "find": _("Find an area"),
        "views": _("Go to"),
        "failed": _("The shapes of the areas could not be loaded. Reload the page."),
    }


def fixed(of: Held, areas: Areas) -> dict[str, Any]:
    """Give what never changes on the map while the boundaries stay."""
    places = [{"label": _(label), "level": level, "codes": list(codes)} for label, level, codes in _PLACES]
    return {
        "shapes": f"geometry/{of.release.areas_checksum}/",
        "note": areas.source,
        "views": places,
        "words": _words(),
    }


def base_map() -> dict[str, Any]:
    """Give what never changes on a map without a release: the land alone."""
    return {"shapes": "", "note": _("Natural Earth"), "views": [], "words": _words()}


def no_values() -> dict[str, Any]:
    """Give the values of a map without a release."""
    return {"id": "none", "level": "", "selected": "", "projector": False, "layers": []}


def marks(of: Held, view: Situation) -> list[tuple[str, Mark]]:
    """Read the layers of a view and word them, the main one first."""
    words = {state: translated(state_words(state, of.release.k)) for state in STATES}
    found = []
    for name in view.layers:
        data = read(of, name, view.level, view.period, view.chosen(name))
        labels = tuple(translated(label) for label in data.style.labels)
        title, unit = translated(data.legend.title), translated(data.legend.unit)
        found.append((name, Mark(data, title, unit, labels, words, _MOST[view.level])))
    return found


def values(areas: Areas, view: Situation, shown: Sequence[tuple[str, Mark]]) -> dict[str, Any]:
    """Describe the view for the map."""
    codes = areas.map_geometry(view.level)["codes"]
    return mapview.payload(
        [mark for _name, mark in shown], codes, view.level, view.area or None, projector=view.projector
    )


def described(of: Held, areas: Areas, view: Situation) -> Markup:
    """Word the panel: the chosen area, or both countries."""
    shown = marks(of, view)
    if view.area:
        return panel.area_panel(area_profile(of.release, view.area, view.period), shown, view.period)
    countries = areas.table.index[areas.table["level"] == "country"]
    profiles = [area_profile(of.release, str(code), view.period) for code in countries]
    return joined([panel.overview(profiles, shown, _(layer(view.layer).question)), _unmapped(areas, view)])


def _unmapped(areas: Areas, view: Situation) -> Markup:
    """Name the areas without a shape, so that they are not missed."""
    names = [str(areas.table["name_en"][code]) for code in areas.missing(view.level)]
    if not names:
        return Markup("")
    return html('<p class="unmapped">{} {}. {}</p>', _("Without a shape on this map:"), ", ".join(names), _("The table holds them."))


def period_words(view: Situation, listed: Sequence[str]) -> str:
    """Say the period in words."""
    return Period.parse(view.period).label if listed and view.period else _("Latest figures")


def time_bars(of: Held, view: Situation, listed: tuple[str, ...]) -> Markup:
    """Draw the strip's bars: the chosen area, or both countries together."""
    level = view.level if view.area else _coarsest(of, view, listed)
    frames = series(of, view.layer, level, listed, view.chosen(view.layer))
    last: Mapping[str, Any] = of.release.manifest["tact"]
    found = strip.totals(frames, view.area)
    return strip.bars(listed, found, view.period, last.get("last"), "time")


def _coarsest(of: Held, view: Situation, listed: tuple[str, ...]) -> str:
    """Give the coarsest level at which the layer has these periods: its numbers carry the least noise."""
    for level in layer(view.layer).levels(of.release):
        asked = view.view()
        if layer(view.layer).periods(of.release, type(asked)(level, view.period, asked.options)) == listed:
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
        st.html(html('<p class="origin">{}. {}</p>', translated(data.legend.source), translated(data.legend.note)))
