"""The live map: the only module that knows Folium and streamlit-folium, so that it can be replaced.

The Folium map's own script never changes, because streamlit-folium mounts a map anew whenever it does. A
script of ours, loaded through the map's `default_js`, fetches the shapes once and draws them; a feature
group of ours, which stands outside that hash, carries nothing but the new values. See static/tactmap.js.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import folium
import pandas as pd
import streamlit as st
from folium.elements import MacroElement
from folium.template import Template
from streamlit_folium import st_folium

from geo.layers.base import LayerData

__all__ = ["Mark", "clicked_place", "payload", "show"]

KEY = "map"
_ASSETS = Path(__file__).resolve().parent.parent / "static"
# Relative to the component's own page, so that they hold under any base path.
_HOME = "../../"
_HEIGHT = 600  # only until the style sheet stretches the frame
_STATE_CODES = {
    "few": "f",
    "almost_none": "a",
    "not_searched": "s",
    "structural_zero": "z",
    "no_data": "d",
    "no_figure": "g",
}


@dataclass(frozen=True)
class Mark:
    """One layer as it goes to the map: its data and its words, already translated."""

    data: LayerData
    title: str
    unit: str
    labels: tuple[str, ...]
    words: Mapping[str, str]
    most: float = 22.0  # pixels: the radius of the largest circle


@lru_cache(maxsize=16)
def _asset(name: str) -> str:
    digest = hashlib.sha256((_ASSETS / name).read_bytes()).hexdigest()[:12]
    return f"{_HOME}assets/{name}?v={digest}"


class _Map(folium.Map):
    """A Folium map that loads local files only."""

    default_js = [("leaflet", _asset("leaflet/leaflet.js")), ("tactmap", _asset("tactmap.js"))]
    default_css = [("leaflet", _asset("leaflet/leaflet.css")), ("theme", _asset("theme.css"))]


class _Start(MacroElement):
    """Hands the map to our script, with what never changes while the boundaries stay."""

    _template = Template(
        "{% macro script(this, kwargs) %}tactmap.start({{ this._parent.get_name() }}, {{ this.options }});{% endmacro %}"
    )

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__()
        self._name = "Start"
        self.options = script_json(options)


class _Values(folium.FeatureGroup):
    """A feature group without features: its script hands the new values to ours."""

    _template = Template(
        "{% macro script(this, kwargs) %}var {{ this.get_name() }} = L.featureGroup();"
        "tactmap.update({{ this.values }});{% endmacro %}"
    )

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(name="values", control=False)
        self.values = script_json(values)


def script_json(value: object) -> str:
    """Write JSON that is safe inside a script: no markup, no line separators, nothing that Jinja reads."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029`":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"


def _column(frame: pd.DataFrame, name: str) -> str:
    numbers = [_number(float(v)) for v in frame[name]]
    return ",".join(numbers) if any(numbers) else ""


def _margins(frame: pd.DataFrame) -> str:
    known = frame.loc[frame["value"].notna(), "margin"]
    distinct = {_number(float(v)) for v in known}
    if distinct <= {""}:
        return ""
    return distinct.pop() if len(distinct) == 1 else _column(frame, "margin")


def _codes(data: LayerData, frame: pd.DataFrame, codes: Sequence[str]) -> str:
    """Give one character an area: the class as a digit, or the letter of the state."""
    classes = data.classes().reindex(codes).fillna(-1).astype(int)
    marks = []
    for state, one in zip(frame["state"], classes, strict=True):
        marks.append(_STATE_CODES[state] if state in _STATE_CODES else str(max(0, one)))
    return "".join(marks)


def _layer(mark: Mark, codes: Sequence[str]) -> dict[str, Any]:
    frame = mark.data.frame.reindex(codes)
    frame = frame.assign(state=frame["state"].fillna("no_data"))
    style = mark.data.style
    present = set(frame["state"])
    described: dict[str, Any] = {
        "kind": style.kind,
        "title": mark.title,
        "unit": mark.unit,
        "colours": list(style.colours),
        "labels": [] if style.kind == "circle" else list(mark.labels),
        "words": {state: text for state, text in mark.words.items() if state in present},
        "s": _codes(mark.data, frame, codes),
        "v": _column(frame, "value"),
        "m": _margins(frame),
    }
    if style.kind != "circle":
        return described
    return {**described, "largest": style.largest, "most": mark.most}


def payload(
    marks: Sequence[Mark], codes: Sequence[str], level: str, selected: str | None, *, projector: bool = False
) -> dict[str, Any]:
    """Describe the values of a view, compact, in the order of the level's shapes.

    `s` holds one character an area (a digit: class, a letter: state), `v` the values and `m` one margin for
    all or one an area, both as text with commas.
    """
    values: dict[str, Any] = {
        "level": level,
        "selected": selected,
        "projector": projector,
        "layers": [_layer(mark, codes) for mark in marks],
    }
    digest = hashlib.sha256(script_json(values).encode()).hexdigest()[:12]
    return {"id": digest, **values}


def clicked_place() -> tuple[float, float] | None:
    """Give latitude and longitude of the last click; None when there was none."""
    place = (st.session_state.get(KEY) or {}).get("last_clicked")
    if not isinstance(place, dict):
        return None
    try:
        return float(place["lat"]), float(place["lng"])
    except (KeyError, TypeError, ValueError):
        return None


def show(fixed: Mapping[str, Any], values: Mapping[str, Any], on_click: Callable[[], None]) -> None:
    """Draw the map. `fixed` must stay the same while the boundaries do, or the map is mounted anew.

    Folium's objects are changed by streamlit-folium, so they are made for each run and never kept.
    """
    drawn = _Map(
        location=(39.2, 22.0),
        zoom_start=6,
        tiles=None,
        zoom_control=False,
        prefer_canvas=True,
        min_zoom=5,
        max_zoom=12,
        zoom_snap=0.25,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        max_bounds=True,
        min_lat=31,
        max_lat=46,
        min_lon=13,
        max_lon=35,
        max_bounds_viscosity=0.8,
    )
    drawn.add_child(_Start({**fixed, "home": _HOME}))
    st_folium(
        drawn,
        key=KEY,
        height=_HEIGHT,
        use_container_width=True,
        returned_objects=["last_clicked"],
        feature_group_to_add=_Values(values),
        on_change=on_click,
    )
