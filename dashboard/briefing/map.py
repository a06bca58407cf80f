"""The map in the briefing and in pictures of a page: areas of both countries and arrows, drawn as SVG.

The map uses the projection of dashboard/map/plane.py. Shapes of areas come from the release (simplified as for the
browser); the land around them is part of the product.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import shapely
from shapely.geometry.base import BaseGeometry

from dashboard.map.plane import BOUNDS, HEIGHT, WIDTH, Arrow, Box, Point, draw_arrow, find_centres, find_width, project
from data import reference
from geo.areas import Areas
from geo.layers.core.palette import COVERAGE

LOWS = (10.0, 20.0, 35.0, 50.0)
"""Lower ends, in per cent, of the second and later classes of the share of need met; also used on Reallocate."""
_SEA, _LAND, _LAND_BORDER, _NONE = "#E4ECF1", "#F1F0EC", "#D5D8DC", "#FFFFFF"
_COUNTRY = "#3B4252"
_BORDER, _QUIET_BORDER = 'stroke="#fff" stroke-width="1.4"', 'stroke="#9AA3AF" stroke-width="1.2"'
MOST_ARROWS = 12

Flow = tuple[str, str, int]  # code of the area that units leave, of that to which they go, units

# Names: width of a letter against its height, distance from the point, distance from arrows.
_WIDE, _GAP, _PASSED = 0.5, 15.0, 6.0
_INK = "#1D2433"
_OVERLAP, _OUTSIDE = 40.0, 200.0


def find_class(share: float) -> int:
    """Return the index in COVERAGE of the class of a share of need met (0 to 1)."""
    return sum(round(100.0 * share) >= low for low in LOWS)


@dataclass(frozen=True)
class AreaShape:
    """How an area is drawn. fill : SVG fill. cell : the data that it shows, by attribute name. words : its tooltip."""

    fill: str
    cell: Mapping[str, str] = field(default_factory=dict)
    words: str = ""

    def draw(self, path: str, border: str = "") -> str:
        """Return the shape as an SVG path. path : SVG path data. border : SVG attributes of the line around it.

        Without `border` the line is white, or grey around a pattern.
        """
        border = border or (_QUIET_BORDER if self.fill.startswith("url") else _BORDER)
        return f'<path d="{path}" fill="{self.fill}" {border}{self.describe("path")}'

    def describe(self, tag: str, content: str = "") -> str:
        """Return what follows the attributes in an SVG element of this tag: data cell, tooltip, content and end tag."""
        cell = "".join(f" data-{name}={quoteattr(value)}" for name, value in self.cell.items())
        inside = f"<title>{escape(self.words)}</title>{content}" if self.words else content
        return f"{cell}>{inside}</{tag}>" if inside else f"{cell}/>"


_EMPTY = AreaShape(_NONE)


def colour_shares(shares: Mapping[str, float]) -> dict[str, AreaShape]:
    """Return areas coloured by the share of need met, by code; `shares` : from 0 to 1, by code."""
    return {code: AreaShape(COVERAGE[find_class(share)]) for code, share in shares.items()}


def draw_map(
    areas: Areas,
    shapes: Mapping[str, AreaShape],
    flows: Sequence[Flow] = (),
    names: Mapping[str, str] | None = None,
    size: float = 28.0,
    *,
    level: str = "region",
    over: Sequence[str] = (),
) -> str:
    """Draw the areas of a level, arrows of flows, and names of areas; return the SVG document.

    shapes : how areas are drawn, by code; other areas are white. flows : the first MOST_ARROWS are drawn; a flow with
    an end that is not an area of the release is left out. names : by code. size : height of the names in SVG units.
    over : SVG elements that lie on the areas and under the arrows.
    """
    points = find_centres(areas, {code for start, end, _ in flows for code in (start, end)} | set(names or {}))
    known = [flow for flow in flows if flow[0] in points and flow[1] in points][:MOST_ARROWS]
    # The thickest first, so that thin ones lie on top.
    thick = sorted(known, key=lambda flow: (-flow[2], flow[0], flow[1]))
    arrows = [draw_arrow(points[start], points[end], find_width(units)) for start, end, units in thick]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}">',
        f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" fill="{_SEA}"/>',
        _land(),
        *(shapes.get(code, _EMPTY).draw(path) for code, path in outline_areas(areas, level).items()),
        f'<path d="{_borders(areas)}" fill="none" stroke="{_COUNTRY}" stroke-width="1.5"/>',
        *over,
        *(arrow.svg for arrow in arrows),
        *_labels(points, names or {}, arrows, size, centred=not (flows or over)),
        "</svg>",
    ]
    return "".join(parts)


def _labels(
    points: Mapping[str, Point], names: Mapping[str, str], arrows: Sequence[Arrow], size: float, *, centred: bool
) -> Iterable[str]:
    wanted = [(names[code], points[code]) for code in names if code in points]
    passed = [point for arrow in arrows for point in arrow.points]
    return place_names(wanted, passed, (WIDTH, HEIGHT), size, centred=centred)


@lru_cache(maxsize=6)
def outline_areas(areas: Areas, level: str) -> dict[str, str]:
    """Return the outlines of the areas of a level as SVG path data, by code."""
    features = areas.map_geometry(level)["features"]
    return {f["properties"]["code"]: _path(shapely.from_geojson(json.dumps(f["geometry"]))) for f in features}


@lru_cache(maxsize=4)
def _borders(areas: Areas) -> str:
    return _path(shapely.from_geojson(json.dumps(areas.map_geometry("country")["borders"])))


@lru_cache(maxsize=1)
def _land() -> str:
    """Return the land around both countries as SVG."""
    frame = shapely.box(BOUNDS[0] - 1, BOUNDS[1] - 1, BOUNDS[2] + 1, BOUNDS[3] + 1)
    features = json.loads((reference.FOLDER / "land.geojson").read_text(encoding="utf-8"))["features"]
    shapes = (shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features)
    paths = (_path(shape.intersection(frame)) for shape in shapes if shape.intersects(frame))
    look = f'fill="{_LAND}" stroke="{_LAND_BORDER}" stroke-width="1.5"'
    return "".join(f'<path d="{path}" {look}/>' for path in paths if path)


def _path(shape: BaseGeometry) -> str:
    """Return the rings or lines of a shape as SVG path data."""
    lines: list[Any] = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            lines += [(ring, True) for ring in (part.exterior, *part.interiors)]
        elif part.geom_type == "LineString":
            lines.append((part, False))
    return "".join(_line(line.coords, closed=closed) for line, closed in lines)


def _line(coords: Iterable[tuple[float, ...]], *, closed: bool) -> str:
    points = [project(lon, lat) for lon, lat, *_ in coords]
    pairs = [f"{x:.1f} {y:.1f}" for x, y in points]
    return f"M{'L'.join(pairs)}{'Z' if closed else ''}"


def place_names(
    names: Sequence[tuple[str, Point]], passed: Sequence[Point], whole: Point, size: float, *, centred: bool = False
) -> Iterable[str]:
    """Yield names as SVG text, each where it overlaps least with points of arrows, other names and the map's edges.

    names : names with their points. passed : points on arrows. whole : width and height of the map. size : height of
    the letters. All are in SVG units. A name stands beside its point; with `centred`, the first position that is tried
    is on the point. A name that would overlap too much is left out.
    """
    taken: list[Box] = []
    for name, point in names:
        wide = _WIDE * size * len(name)
        middle = (point[0] - wide / 2, point[1] - size / 2, point[0] + wide / 2, point[1] + size / 2)
        boxes = [*([middle] if centred else []), *_around(point, wide, size)]
        costs = [_cost(box, taken, passed, whole) + 0.1 * order for order, box in enumerate(boxes)]
        if min(costs) < _OVERLAP:
            best = boxes[costs.index(min(costs))]
            taken.append(best)
            look = f'font-family="Source Sans 3" font-weight="600" font-size="{size:.0f}" text-anchor="middle"'
            position = f'x="{(best[0] + best[2]) / 2:.1f}" y="{best[1] + 0.8 * size:.1f}"'
            rim = f'stroke="#fff" stroke-width="{size / 3.5:.1f}" stroke-linejoin="round" paint-order="stroke"'
            yield f'<text {look} {position} fill="{_INK}" {rim}>{escape(name)}</text>'


def _around(point: Point, wide: float, high: float) -> list[Box]:
    """Return eight boxes of this size around a point: right, left, above, below, and the four corners."""
    x, y = point
    right, left, middle = x + _GAP, x - _GAP - wide, x - wide / 2
    level, above, below = y - high / 2, y - _GAP - high, y + _GAP
    corners = [(right, level), (left, level), (middle, above), (middle, below),
               (right, above), (right, below), (left, above), (left, below)]  # fmt: skip
    return [(a, b, a + wide, b + high) for a, b in corners]


def _cost(box: Box, taken: Sequence[Box], passed: Sequence[Point], whole: Point) -> float:
    crossed = sum(
        box[0] - _PASSED < x < box[2] + _PASSED and box[1] - _PASSED < y < box[3] + _PASSED for x, y in passed
    )
    met = sum(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in taken)
    outside = box[0] < 0 or box[1] < 0 or box[2] > whole[0] or box[3] > whole[1]
    return crossed + _OVERLAP * met + _OUTSIDE * outside
