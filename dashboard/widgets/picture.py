"""A map in a page as a picture: areas by class, their names, the best moves, and an inset of Tirana and Durrës.

The picture is SVG in the page, not the live map. It comes with the first message of the page and needs no other file.
Shapes have only the detail that can be seen at that size. Names are text of the page, so they have the same size on
every screen. They are placed for the smallest screen, and never overlap.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
import streamlit as st
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from dashboard.map.area_marks import AreaMark, Key
from dashboard.map.legend import render_classes
from dashboard.map.plane import Box, Point, draw_arrow, find_centres, find_width, project
from dashboard.site.assets import ASSETS
from dashboard.site.cache import cache_once
from dashboard.site.text import html, join_markup
from data import reference
from data.workspace.types import Floats
from geo.areas import Areas
from risk.report.shift import WATCHED

_SCRIPT = ASSETS / "picture.js"
_TOLERANCE, _ISLET = 0.012, 0.004  # degrees, square degrees
_LAND_TOLERANCE, _LAND_AROUND = 0.04, (12.0, 32.0, 36.0, 45.0)
_SCALE = 0.36  # pixels for a unit on the smallest screen
_LETTER, _LINE, _GAP = 6.4, 13.0, 3.0  # pixels: width of a letter, height of a name, distance from the middle
_ACCENT = "#0F6B66"
_MOST_ARROWS = 6
_EDGE, _MARGIN = 10.0, 75.0  # space around the areas, and more in the west for the names on the coast
_ON_OTHERS = 0.1  # the largest share of a name's box that may lie on other areas
_PATTERNS = Markup(
    '<defs><pattern id="unsure" width="18" height="18" patternUnits="userSpaceOnUse"><rect width="18" '
    'height="18" fill="#fff"/><path d="M1 4H7M4 1V7M10 13H16M13 10V16" stroke="#97a0ad" stroke-width="2"/>'
    "</pattern></defs>"
)


def render_key(key: Key) -> Markup:
    """Return the legend of a map that is a picture."""
    classes = render_classes(key.classes, "words" if key.in_words else "ramp")
    notes = join_markup(html("<p>{}</p>", note) for note in key.notes if note)
    return html('<div class="key"><h2>{}</h2><p>{}</p>{}{}</div>', key.title, key.unit, classes, notes)


def fade_colour(colour: str, strength: float) -> str:
    """Return a colour such as "#0F6B66" mixed with white; strength : from 0 (white) to 1 (the colour itself)."""
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - strength * (255 - channel)):02X}" for channel in channels)


def show_choices(areas: Iterable[str], chosen: str) -> None:
    """Connect the map with all elements of the page that name an area in the attribute data-area.

    If the mouse is over an element of an area, all its elements are marked; a click chooses the area. For this, an
    invisible link is added for each area, which dashboard/static/picture.js follows.
    """
    links = (html('<a data-choice="{0}" href="?area={0}" target="_self"></a>', code) for code in areas)
    st.html(html('<div class="areas" data-chosen="{}" hidden>{}</div>', chosen, join_markup(links)))
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    st.html(_render_script(f"/{base}" if base else ""), unsafe_allow_javascript=True)


@lru_cache(maxsize=4)
def _render_script(base: str) -> Markup:
    """Return the tag of the map's script. Its address changes with its content, so no browser uses an old script."""
    digest = hashlib.sha256(_SCRIPT.read_bytes()).hexdigest()[:8]
    return html('<script src="{}/assets/{}?v={}"></script>', base, _SCRIPT.name, digest)


@dataclass(frozen=True)
class _Outlines:
    """Outlines on the picture. areas (by code), countries and land are SVG path data.

    whole : the box of both countries. cities : the box of Tirana and Durrës. near_cities : codes of the areas whose box
    touches that of the cities. shapes : the outlines of the areas as geometry in units of the picture, by code.
    """

    areas: Mapping[str, str]
    countries: str
    land: str
    whole: Box
    cities: Box
    near_cities: tuple[str, ...]
    shapes: Mapping[str, BaseGeometry]


def render_map(
    areas: Areas, marks: Mapping[str, AreaMark], flows: Sequence[tuple[str, str, int]], legend: Markup
) -> Markup:
    """Return the map with its legend, arrows for the first six flows, and the names that have room.

    marks : how each area is drawn, by code; the first areas get their names first. flows : tuples (code of the area
    that units leave, code of the area to which they go, number of units).
    """
    shapes = _outline(areas)
    left, top, right, bottom = shapes.whole
    wide, high = right - left, bottom - top
    drawn = [code for code in marks if code in shapes.areas]  # the first ones get their names first
    points = find_centres(areas, {*drawn, *(code for flow in flows for code in flow[:2])})
    known = [flow for flow in flows if flow[0] in points and flow[1] in points][:_MOST_ARROWS]
    arrows = [draw_arrow(points[start], points[end], find_width(min(units, 2)), _ACCENT) for start, end, units in known]
    content = [
        _PATTERNS,
        html('<path class="land" d="{}"/><path class="country" d="{}"/>', shapes.land, shapes.countries),
        *(_draw_area(shapes, marks, code) for code in shapes.areas),
        *(Markup(arrow.svg) for arrow in arrows),  # noqa: S704 (numbers alone)
    ]
    picture = _draw_picture(shapes.whole, join_markup(content))
    named = {code: marks[code].name for code in drawn if code in points}
    names = _place_names(named, points, [point for arrow in arrows for point in arrow.points], shapes)
    return html(
        '<div class="picture"><div class="sheet" style="--wide:{};--high:{}" data-svg="{}">{}</div>'
        '<div class="aside">{}{}</div></div>',
        round(wide),
        round(high),
        str(picture),
        names,
        _draw_inset(shapes, marks, points),
        legend,
    )


def _draw_picture(box: Box, content: Markup) -> Markup:
    """Return an SVG element with this content. box : its edges, in units of the picture.

    Callers put the element into an attribute, which dashboard/static/picture.js reads, because Streamlit removes SVG
    elements.
    """
    left, top, right, bottom = (round(edge) for edge in box)
    return html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{} {} {} {}" aria-hidden="true">{}</svg>',
        left,
        top,
        right - left,
        bottom - top,
        content,
    )


def _draw_area(shapes: _Outlines, marks: Mapping[str, AreaMark], code: str) -> Markup:
    mark = marks.get(code)
    if mark is None:
        return html('<path class="area" d="{}" fill="#fff"/>', shapes.areas[code])
    return html(
        '<path class="area" data-area="{}" d="{}" {} data-words="{}"/>',
        code,
        shapes.areas[code],
        html('fill="url(#unsure)"') if mark.unsure else html('fill="{}"', mark.colour),
        mark.words,
    )


def _draw_inset(shapes: _Outlines, marks: Mapping[str, AreaMark], points: Mapping[str, Point]) -> Markup:
    """Return the inset: Tirana and Durrës with the areas around them, at a larger scale."""
    left, top, right, bottom = shapes.cities
    wide, high = right - left, bottom - top
    picture = _draw_picture(shapes.cities, join_markup(_draw_area(shapes, marks, code) for code in shapes.near_cities))
    names = [
        html(
            '<span style="left:{}%;top:{}%">{}</span>',
            round(100 * (points[code][0] - left) / wide, 1),
            round(100 * (points[code][1] - top) / high, 1),
            marks[code].name,
        )
        for code in WATCHED
        if code in marks and code in points
    ]
    return html(
        '<div class="inset" style="--wide:{};--high:{}" data-svg="{}">{}</div>',
        round(wide),
        round(high),
        str(picture),
        join_markup(names),
    )


def _place_names(
    names: Mapping[str, str], points: Mapping[str, Point], passed: Sequence[Point], shapes: _Outlines
) -> Markup:
    """Return the names for which there is room, as text over the picture; the first names are placed first.

    A name may not lie on another name or on an arrow. Its middle lies on its own area, or less than a tenth of it on
    other areas.
    """
    left, top, right, bottom = shapes.whole
    taken: list[Box] = []
    written = []
    for code, name in names.items():
        words = name.split()
        cuts = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
        lines = list(min(cuts, key=lambda cut: max(map(len, cut)))) if cuts else [name]
        wide, high = _LETTER * max(map(len, lines)) / _SCALE, _LINE * len(lines) / _SCALE
        boxes = _list_boxes(points[code], wide, high)
        box = next(
            (b for b in boxes if _has_room(b, taken, passed, shapes.whole) and _is_at_home(b, code, shapes)), None
        )
        if box is not None:
            taken.append(box)
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            place = round(100 * (x - left) / (right - left), 1), round(100 * (y - top) / (bottom - top), 1)
            written.append(html('<span style="left:{}%;top:{}%">{}</span>', *place, Markup("<br>").join(lines)))
    return html('<div class="names" aria-hidden="true">{}</div>', join_markup(written))


def _list_boxes(point: Point, wide: float, high: float) -> list[Box]:
    """Return boxes of this size for a name: first on the point, then around it."""
    x, y, gap = *point, _GAP / _SCALE
    across, along = wide / 2 + gap, high / 2 + gap
    shifts = [(0, 0), (0, 0.5), (0, -0.5), (0, 1), (0, -1), (0.5, 0), (-0.5, 0), (1, 0), (-1, 0), (-1.3, 0), (-1, 0.7),
              (-1, -0.7), (1, 0.7), (1, -0.7)]  # fmt: skip
    middles = [(x + a * across, y + b * along) for a, b in shifts]
    return [(a - wide / 2, b - high / 2, a + wide / 2, b + high / 2) for a, b in middles]


def _has_room(box: Box, taken: Sequence[Box], passed: Sequence[Point], whole: Box) -> bool:
    inside = box[0] > whole[0] and box[1] > whole[1] and box[2] < whole[2] and box[3] < whole[3]
    crossed = any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in passed)
    return inside and not crossed and not any(_meets(box, other) for other in taken)


def _is_at_home(box: Box, code: str, shapes: _Outlines) -> bool:
    """Return whether the middle of a name's box lies on its own area, or less than a tenth of it on other areas."""
    place = shapely.box(*box)
    if shapes.shapes[code].contains(place.centroid):
        return True
    others = sum(place.intersection(shape).area for other, shape in shapes.shapes.items() if other != code)
    return bool(others < _ON_OTHERS * place.area)


@cache_once(maxsize=4)
def _outline(areas: Areas) -> _Outlines:
    """Return the outlines of counties and regions, simplified together so that their borders still match."""
    features = areas.map_geometry("region")["features"]
    codes = [feature["properties"]["code"] for feature in features]
    shapes = np.array([shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features])
    simple = [_drop_islets(shape) for shape in shapely.coverage_simplify(shapes, _TOLERANCE)]
    by_code = dict(zip(codes, simple, strict=True))
    left, top, right, bottom = _find_box(simple)
    whole = left - _MARGIN, top, right, bottom
    cities = _find_box([by_code[code] for code in WATCHED if code in by_code] or simple)
    lands = [feature["properties"]["country"] for feature in features]
    unions = [
        shapely.union_all([s for s, c in zip(simple, lands, strict=True) if c == land]) for land in dict.fromkeys(lands)
    ]
    paths = {code: _draw_path(shape) for code, shape in by_code.items()}
    near = tuple(code for code, shape in by_code.items() if _meets(_find_box([shape], 0.0), cities))
    flat = {code: shapely.transform(shape, _project_all) for code, shape in by_code.items()}
    return _Outlines(paths, "".join(map(_draw_path, unions)), _outline_land(), whole, cities, near, flat)


def _drop_islets(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape without the parts that are too small to see; its largest part always stays."""
    parts = sorted(shapely.get_parts(shape), key=lambda part: -part.area)
    return shapely.multipolygons([part for part in parts if part is parts[0] or part.area >= _ISLET])


def _outline_land() -> str:
    frame = shapely.box(_LAND_AROUND[0], _LAND_AROUND[2] - 2.0, _LAND_AROUND[1], _LAND_AROUND[3])
    features = json.loads((reference.FOLDER / "land.geojson").read_text(encoding="utf-8"))["features"]
    shapes = (shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features)
    inside = (shape.intersection(frame).simplify(_LAND_TOLERANCE) for shape in shapes if shape.intersects(frame))
    return "".join(_draw_path(_drop_islets(shape)) for shape in inside if not shape.is_empty)


def _find_box(shapes: Sequence[BaseGeometry], edge: float = _EDGE) -> Box:
    west, south, east, north = shapely.total_bounds(list(shapes))
    (left, bottom), (right, top) = project(west, south), project(east, north)
    return left - edge, top - edge, right + edge, bottom + edge


def _meets(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _project_all(places: Floats) -> Floats:
    """Return coordinates on the picture, shape (n, 2), from longitudes and latitudes."""
    return np.array([project(lon, lat) for lon, lat in places])


def _draw_path(shape: BaseGeometry) -> str:
    """Return the polygons of a shape as SVG path data in whole units; each point is relative to the one before."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return "".join(_draw_ring(ring.coords) for part in parts for ring in (part.exterior, *part.interiors))


def _draw_ring(coords: Iterable[tuple[float, ...]]) -> str:
    points = np.rint([project(lon, lat) for lon, lat, *_ in coords]).astype(int)
    steps = np.diff(points, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    if len(steps) < 3:
        return ""
    return f"M{points[0][0]} {points[0][1]}l{' '.join(f'{x} {y}' for x, y in steps[:-1]).replace(' -', '-')}z"
