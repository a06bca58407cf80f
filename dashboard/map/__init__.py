"""The live map: the only module that knows Folium and streamlit-folium, so that it can be replaced.

The script of the Folium map never changes, because streamlit-folium reloads the map after a change. A
separate script, loaded through the map's `default_js`, fetches the shapes once and draws them. A feature
group outside the Folium script contains only the new values. See static/tactmap.js.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import folium
import pandas as pd
import streamlit as st
from branca.element import Element, Figure
from folium.template import Template

from geo.layers.core import LayerData

KEY = "map"
_ASSETS = Path(__file__).resolve().parents[2] / "static"
# Relative to the component's own page, so that they hold under any base path.
_HOME = "../../"
_LONG = 4
_HEIGHT = 600  # only until the style sheet stretches the frame
_STATE_CODES = {
    "few": "f",
    "almost_none": "a",
    "not_searched": "s",
    "structural_zero": "z",
    "no_data": "d",
    "no_figure": "g",
    "withheld": "w",
    "cannot_tell": "c",
}


@dataclass(frozen=True)
class Mark:
    """A layer in the form for the map: its data and its translated words."""

    data: LayerData
    title: str
    unit: str
    labels: tuple[str, ...]
    words: Mapping[str, str]
    most: float = 22.0  # pixels: the radius of the largest circle


@dataclass(frozen=True)
class Arrow:
    """An arrow between two places (latitude, longitude), its width in pixels and its label, translated.

    From a place to itself it is a loop. colour: empty for ink.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    width: float
    label: str
    colour: str = ""


@lru_cache(maxsize=16)
def _name_asset(name: str) -> str:
    digest = hashlib.sha256((_ASSETS / name).read_bytes()).hexdigest()[:8]
    return f"{_HOME}assets/{name}?v={digest}"


class _Map(folium.Map):
    """A Folium map that loads only local files and has a very short script.

    Folium's own template contains styles and options that our style sheet and script already have, and it
    would be sent again with every change.
    """

    default_js = [("leaflet", _name_asset("leaflet/leaflet.js")), ("tactmap", _name_asset("tactmap.js"))]  # noqa: RUF012
    default_css = [("theme", _name_asset("theme.css"))]  # noqa: RUF012
    _template = Template(
        "{% macro header(this, kwargs) %}{% endmacro %}"
        "{% macro html(this, kwargs) %}"
        '<div class="folium-map" id={{ this.get_name()|tojson }} ></div>'
        "{% endmacro %}"
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = tactmap.start({{ this.get_name()|tojson }}, {{ this.fixed }});"
        "{% endmacro %}"
    )

    def __init__(self, fixed: Mapping[str, Any]) -> None:
        super().__init__(location=(39.2, 22.0), tiles=None)
        # The component's page states its encoding itself; here it would be sent again with every change.
        cast("Figure", self.get_root()).header = Element()
        self.fixed = write_literal(fixed)


class _Values(folium.FeatureGroup):
    """A feature group without features. Its script passes the new values to ours."""

    _template = Template(
        "{% macro script(this, kwargs) %}var {{ this.get_name() }} = L.featureGroup();"
        "tactmap.update({{ this.values }});{% endmacro %}"
    )

    def __init__(self, values: str) -> None:
        super().__init__(name="values", control=False, show=False)
        self.values = values


def write_literal(value: object) -> str:
    """Return a value as a JavaScript literal that is safe in a script: no markup, no line separators.

    It has single quotes and bare names, because it is sent inside JSON, where each double quote costs two characters.
    """
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{write_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(write_literal, value)) + "]"
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, str):
        return text
    for character in "<>&'`{}\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"'{text[1:-1]}'"


def _format_number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"


def _shorten_runs(parts: Iterable[str]) -> list[str]:
    """Shorten runs of four and more equal parts to "x(4)"."""
    shortened: list[str] = []
    for part, same in groupby(parts):
        count = len(list(same))
        shortened += [f"{part}({count})"] if count >= _LONG else [part] * count
    return shortened


def _format_column(frame: pd.DataFrame, name: str) -> str:
    """Return the numbers of the areas with a separate mark, in order. Empty if there are none."""
    marked = frame[~frame["state"].isin(_STATE_CODES)]
    numbers = [_format_number(float(v)) for v in marked[name]]
    return ",".join(_shorten_runs(numbers)) if any(numbers) else ""


def _format_margins(frame: pd.DataFrame) -> str:
    distinct = {_format_number(float(v)) for v in frame.loc[frame["value"].notna(), "margin"]}
    return distinct.pop() if len(distinct) == 1 else _format_column(frame, "margin")


def _format_codes(data: LayerData, frame: pd.DataFrame, codes: list[str]) -> str:
    """Return one character for each area: the class as a digit, or the letter of the state."""
    classes = data.classes().reindex(codes).fillna(-1).astype(int)
    marks = []
    for state, class_index in zip(frame["state"], classes, strict=True):
        marks.append(_STATE_CODES[state] if state in _STATE_CODES else str(max(0, class_index)))
    return "".join(_shorten_runs(marks))


def describe_layer(mark: Mark, codes: list[str], *, titled: bool = True) -> str:
    """Describe one layer for the map as a JavaScript literal, in the order of the level's shapes.

    `s` has one character for each area (a digit: class, a letter: state), `v` the values of the areas with a
    digit, and `m` one margin for all or one for each value; both are text with commas. In all three a run of
    equal parts is shortened: "x(4)". A single layer needs no title.
    """
    frame = mark.data.frame.assign(state=mark.data.list_marks()).reindex(codes)
    frame = frame.assign(state=frame["state"].fillna("no_data"))
    style = mark.data.style
    present = set(frame["state"])
    described: dict[str, Any] = {
        "kind": style.kind,
        "title": mark.title if titled else "",
        "unit": mark.unit,
        "colours": list(style.colours),
        "labels": "" if style.kind == "circle" else list(mark.labels),
        "words": {code: mark.words[state] for state, code in _STATE_CODES.items() if state in present},
        "s": _format_codes(mark.data, frame, codes),
        "v": _format_column(frame, "value"),
        "m": _format_margins(frame),
    }
    if style.kind == "circle":
        described |= {"largest": style.largest, "most": mark.most}
    return write_literal({name: value for name, value in described.items() if value != ""})


def describe_map(
    layers: Sequence[str],
    level: str,
    period: str = "",
    selected: str = "",
    *,
    projector: bool = False,
    arrows: Sequence[Arrow] = (),
) -> str:
    """Describe a view for the map as a JavaScript literal. Its `id` changes when anything does."""
    values = f"level:{write_literal(level)},layers:[{','.join(layers)}]"
    values += f",selected:{write_literal(selected)}" if selected else ""
    values += ",projector:true" if projector else ""
    values += f",arrows:{write_literal([_describe_arrow(arrow) for arrow in arrows])}" if arrows else ""
    digest = hashlib.sha256(f"{period}{values}".encode()).hexdigest()[:8]
    return f"{{id:{write_literal(digest)},{values}}}"


def _describe_arrow(arrow: Arrow) -> dict[str, Any]:
    described = {"from": arrow.start, "to": arrow.end, "width": round(arrow.width, 2), "label": arrow.label}
    return {**described, "colour": arrow.colour} if arrow.colour else described


def read_clicked_place() -> tuple[float, float] | None:
    """Return latitude and longitude of the last click, or None."""
    place = (st.session_state.get(KEY) or {}).get("last_clicked")
    if not isinstance(place, dict):
        return None
    try:
        return float(place["lat"]), float(place["lng"])
    except (KeyError, TypeError, ValueError):
        return None


def show_map(fixed: Mapping[str, Any], values: str, on_click: Callable[[], None] | None = None) -> None:
    """Show the map. `fixed` must not change while the boundaries are the same, or the map is reloaded.

    Without `on_click` the page does not receive clicks. streamlit-folium changes Folium's objects, so they
    are made for each run and never kept.
    """
    # The component registers itself when it is imported, which must not be before Streamlit runs: the server
    # imports this package for its routes.
    from streamlit_folium import st_folium

    folium_map = _Map(fixed)
    st_folium(
        folium_map,
        key=KEY,
        height=_HEIGHT,
        use_container_width=True,
        returned_objects=["last_clicked"] if on_click else [],
        feature_group_to_add=_Values(values),
        on_change=on_click,
    )
