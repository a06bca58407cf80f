"""The live map. Only this module and atlas.py use Folium, and only this one streamlit-folium: both can be replaced.

The script of the Folium map never changes, because streamlit-folium reloads the map after a change. A
separate script, loaded through the map's `default_js`, fetches the shapes once and draws them. A feature
group outside the Folium script contains only the new values. See dashboard/static/tactmap.js.
Streamlit is imported only where a page asks for it, because commands use the rest of this package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import folium
from branca.element import Element, Figure
from folium.template import Template

from dashboard.map.values import Arrow as Arrow
from dashboard.map.values import Mark as Mark
from dashboard.map.values import describe_layer as describe_layer
from dashboard.map.values import describe_map as describe_map
from dashboard.map.values import write_literal
from dashboard.site.assets import ASSETS

KEY = "map"
# Where Streamlit serves the scripts of streamlit-folium's frame.
FRAME_PATH = "/component/streamlit_folium.st_folium/static/"
# Relative to the component's own page, so that they hold under any base path.
_HOME = "../../"
_HEIGHT = 600  # only until the style sheet stretches the frame


_SCRIPTS = ("leaflet/leaflet.js", "tactmap.js")


@lru_cache(maxsize=16)
def name_asset(name: str, home: str = "./") -> str:
    """Return the address of a static file, with a part that changes with its content; home : the product's address.

    Raises FileNotFoundError if there is no such file.
    """
    digest = hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()[:8]
    return f"{home}assets/{name}?v={digest}"


def list_frame_scripts() -> list[str]:
    """Return the addresses of the scripts in the map's frame, in the order in which the frame loads them."""
    frames = (f".{FRAME_PATH}js/{file.name}" for file in sorted(find_frame_files().glob("js/main.*.js")))
    return [*frames, *(name_asset(name) for name in _SCRIPTS)]


def find_frame_files() -> Path:
    """Return the folder with the frame scripts of streamlit-folium, without importing it (see `show_map`).

    Raises ImportError if it is not installed.
    """
    package = find_spec("streamlit_folium")
    if package is None or package.origin is None:
        raise ImportError("streamlit-folium is not installed.")
    return Path(package.origin).parent / "frontend" / "build" / "static"


class _Nothing(Element):
    """The empty head of the map's page. The page of the component states the encoding and loads the map's scripts."""

    _template = Template("")


class _Map(folium.Map):
    """A Folium map that loads only local files and has a very short script.

    Folium's own template contains styles and options that our style sheet and script already have, and it
    would be sent again with every change.
    """

    default_js = [(name, name_asset(name, _HOME)) for name in _SCRIPTS]  # noqa: RUF012
    default_css = [("theme", name_asset("theme.css", _HOME))]  # noqa: RUF012
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
        cast("Figure", self.get_root()).header = _Nothing()
        self.fixed = write_literal(fixed)

    def render(self, **_more: object) -> str:
        """Return an empty text instead of the whole page of the map, which would take ten times as long.

        The page is not needed: streamlit-folium reads the script and the links of the map itself.
        """
        return ""


class _Values(folium.FeatureGroup):
    """A feature group without features. Its script passes the new values to ours."""

    _template = Template(
        "{% macro script(this, kwargs) %}var {{ this.get_name() }} = L.featureGroup();"
        "tactmap.update({{ this.values }});{% endmacro %}"
    )

    def __init__(self, values: str) -> None:
        super().__init__(name="values", control=False, show=False)
        self.values = values

    def render(self, **_more: object) -> str:
        """Return an empty text, see `_Map.render`."""
        return ""


def read_clicked_place() -> tuple[float, float] | None:
    """Return latitude and longitude of the last click on the map in degrees; None if there was no click."""
    import streamlit as st

    place = (st.session_state.get(KEY) or {}).get("last_clicked")
    if not isinstance(place, dict):
        return None
    try:
        return float(place["lat"]), float(place["lng"])
    except (KeyError, TypeError, ValueError):
        return None


def show_map(fixed: Mapping[str, Any], values: str, on_click: Callable[[], None] | None = None) -> None:
    """Show the map on a page.

    fixed : what changes only with the boundaries; any change of it reloads the map. values : the view as a JavaScript
    literal. on_click : called after a click on the map; without it the page does not receive clicks. streamlit-folium
    changes Folium's objects, so they are made for each run and never kept.
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
        render=False,
        on_change=on_click,
    )
