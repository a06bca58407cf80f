"""What the Situation page shows for a view: the map's values, the panel, the bars of time, the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard import mapview, panel, reading, strip
from dashboard.geometry import SHIPPED, SHORTENED
from dashboard.mapview import Mark
from dashboard.reading import Held, Options
from dashboard.state import Situation, unmet
from dashboard.strip import Total
from dashboard.text import _, html, translated
from data.errors import InputError
from data.periods import Period
from data.states import STATES
from geo.areas import Areas
from geo.layers import layer, together
from geo.layers.table import COLUMNS
from geo.layers.table import table as layer_table
from geo.layers.words import LEVELS, state_words

__all__ = [
    "base_map",
    "described",
    "fixed",
    "marks",
    "missed",
    "no_values",
    "table",
    "time_strip",
    "time_totals",
    "values",
]

# Smaller areas get smaller circles, so that neighbours do not cover each other.
_MOST = {"country": 28.0, "region": 22.0, "municipality": 15.0}
# The largest circle stands for at least so many, so that a map of few does not look like one of many.
_FULL = 25.0
# The number stands beside its area, where a small screen shows it.
_CODE, _AREA, _LOCAL, _COUNTRY, *_REST = COLUMNS
_IN_ORDER = (_AREA, *_REST, _LOCAL, _COUNTRY, _CODE)
_SHORT = re.compile(r"[A-Za-z0-9_/-]{1,24}")


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
    most = _MOST[level] * min(1.0, data.style.largest / _FULL) ** 0.5
    return Mark(data, title, unit, labels, words, most)


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


def missed(address: Mapping[str, str], view: Situation, of: Held, areas: pd.DataFrame) -> Markup:
    """Say in one line what an address asked for and is not there, and what is shown instead; else nothing."""
    lost = unmet(address, view)
    if not lost:
        return Markup("")
    titles = {name: _(layer(name).title) for name in reading.levels(of)}
    words = {
        "layer": (_("layer"), titles.get(address.get("layer", ""), ""), titles.get(view.layer, "")),
        "level": (_("level"), _(LEVELS.get(address.get("level", ""), "")), _(LEVELS.get(view.level, ""))),
        "period": (_("period"), _label(address.get("period", "")), _label(view.period)),
        "area": (_("area"), _named(address.get("area", ""), areas), _named(view.area, areas)),
        "over": (_("layer over it"), titles.get(address.get("over", ""), ""), _("nothing over it")),
    }
    told = [
        (what, name or _quoted(address[key]), shown) for key in lost for what, name, shown in [words[key]]
    ]
    asked = ", ".join(f"{what} {name}".strip() for what, name, _shown in told)
    return html(
        '<p class="missed" role="status">{} {}</p>',
        _("Not found here: {asked}.", asked=asked),
        _("Shown instead: {shown}.", shown=", ".join(shown for _what, _name, shown in told if shown)),
    )


def _quoted(text: str) -> str:
    """Repeat a short name from an address; anything else in it is not for the page to say."""
    return f"“{text}”" if _SHORT.fullmatch(text) else ""


def _label(period: str) -> str:
    try:
        return Period.parse(period).label
    except InputError:
        return ""


def _named(area: str, areas: pd.DataFrame) -> str:
    if not area:
        return _("both countries")
    return str(areas["name_en"][area]) if area in areas.index else ""


def time_totals(of: Held, areas: Areas, view: Situation, listed: tuple[str, ...]) -> dict[str, Total]:
    """Give one number a period: of the chosen area, or of both countries together.

    Of both countries at the coarsest level that has any, because its numbers carry the least noise.
    """
    levels = [str(areas.table["level"][view.area])] if view.area else _levels(of, view, listed)
    found: list[Total] = []
    for level in levels:
        found = strip.totals(reading.series(of, view.layer, level, listed, view.key()), view.area)
        if any(total.value is not None for total in found):
            break
    return dict(zip(listed, found, strict=True))


def time_strip(of: Held, view: Situation, totals: Mapping[str, Total]) -> Markup:
    """Draw the strip: the period in words, and a bar for each where there are several."""
    words = Period.parse(view.period).label if totals and view.period else _("Latest figures")
    several = totals if len(totals) > 1 else {}
    # Published figures do not end with the records.
    last = None if layer(view.layer).of_figures else of.release.manifest["tact"].get("last")
    return strip.drawn(words, several, view.period, last)


def _levels(of: Held, view: Situation, listed: tuple[str, ...]) -> list[str]:
    """List the levels at which the layer has these periods, the coarsest first."""
    return [
        level
        for level in reading.levels(of)[view.layer]
        if reading.periods(of, view.layer, level, view.period, view.key()) == listed
    ]


@st.dialog("Table", width="large")
def table(of: Held, view: Situation) -> None:
    """Show the same content as the map as a table, one for each layer."""
    for name, mark in marks(of, view):
        data = mark.data
        st.html(html("<h3>{}</h3><p>{}, {}</p>", mark.title, mark.unit, data.legend.period))
        shown = layer_table(of.release, layer(name), view.view(name), data).reset_index()
        st.dataframe(shown, width="stretch", height=420, hide_index=True, column_order=_IN_ORDER)
        st.html(
            html('<p class="origin">{}. {}</p>', translated(data.legend.source), translated(data.legend.note))
        )
