"""The plane on which the briefing and the pages draw areas and arrows as SVG.

The projection is equirectangular: x and y are proportional to longitude and latitude, with lengths from west to east
true at 38.7 degrees north. The plane is WIDTH units wide and HEIGHT units high.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from geo.areas import LEVELS, Areas
from geo.islands import find_town

BOUNDS = (18.2, 34.6, 28.6, 42.9)  # west, south, east, north, in degrees
WIDTH = 1000.0
_LATITUDE = 38.7
_SHRINK = math.cos(math.radians(_LATITUDE))
_SCALE = WIDTH / ((BOUNDS[2] - BOUNDS[0]) * _SHRINK)
HEIGHT = (BOUNDS[3] - BOUNDS[1]) * _SCALE
_ARROW = "#9A3412"
_BEND, _SHORTEST, _STEPS, _WIDEST, _RIM = 0.2, 1.0, 12, 6, 5.0

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


def project(lon: float, lat: float) -> Point:
    """Return the point (x, y) on the plane for a longitude and latitude in degrees, in units from the top left."""
    return (lon - BOUNDS[0]) * _SHRINK * _SCALE, (BOUNDS[3] - lat) * _SCALE


def find_centres(areas: Areas, codes: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Return the centre (x, y) on the plane of each of these areas, of any level, or islands of a plan, by code.

    Unknown codes and areas without a centre are left out.
    """
    towns = {code: find_town(code) for code in codes}
    levels = areas.table["level"].reindex(list(dict.fromkeys(towns.values())))
    points: dict[str, tuple[float, float]] = {}
    for level in LEVELS:
        inside = levels.index[levels == level]
        centres = areas.centres(level).reindex(inside).dropna() if len(inside) else pd.DataFrame()
        points |= {str(row[0]): project(float(row[1]), float(row[2])) for row in centres.itertuples(name=None)}
    return {code: points[town] for code, town in towns.items() if town in points}


@dataclass(frozen=True)
class Arrow:
    """An arrow as SVG, and points (x, y) along its curve."""

    svg: str
    points: tuple[Point, ...]


def find_width(units: int) -> float:
    """Return the width of an arrow that moves this number of teams and services, in units of the plane."""
    return 4.0 + 1.4 * min(units, _WIDEST)


def draw_arrow(start: Point, end: Point, width: float, colour: str = _ARROW) -> Arrow:
    """Return an arrow that is bent to the right, so that arrows in opposite directions do not overlap.

    start, end, width : in units of the plane.
    """
    length = max(math.dist(start, end), _SHORTEST)
    across = (-(end[1] - start[1]) / length, (end[0] - start[0]) / length)
    middle = _moved(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), across, _BEND * length)
    way = max(math.dist(middle, end), _SHORTEST)
    along = ((end[0] - middle[0]) / way, (end[1] - middle[1]) / way)
    head = min(2.8 * width, 0.6 * length)
    neck = _moved(end, along, -head)
    line = f"M{_format_point(start)}Q{_format_point(middle)} {_format_point(neck)}"
    aside = (-along[1], along[0])
    corners = (_moved(neck, aside, 0.5 * head), _moved(neck, aside, -0.5 * head))
    tip = f"M{_format_point(end)}L{_format_point(corners[0])}L{_format_point(corners[1])}Z"
    round_line = 'fill="none" stroke-linecap="round"'
    return Arrow(
        f'<path d="{line}" {round_line} stroke="#fff" stroke-width="{width + _RIM:.1f}"/>'
        f'<path d="{tip}" fill="#fff" stroke="#fff" stroke-width="{_RIM:.1f}" stroke-linejoin="round"/>'
        f'<path d="{line}" {round_line} stroke="{colour}" stroke-width="{width:.1f}"/>'
        f'<circle cx="{start[0]:.1f}" cy="{start[1]:.1f}" r="{0.9 * width:.1f}" fill="{colour}" '
        f'stroke="#fff" stroke-width="{_RIM / 2:.1f}"/><path d="{tip}" fill="{colour}"/>',
        tuple(_along(start, middle, end)),
    )


def _along(start: Point, middle: Point, end: Point) -> Iterable[Point]:
    """Yield `_STEPS` + 1 points (x, y) of the quadratic Bézier curve with these control points, from start to end."""
    for step in range(_STEPS + 1):
        t = step / _STEPS
        shares = (1 - t) ** 2, 2 * t * (1 - t), t**2
        ends = (start, middle, end)
        yield (
            sum(share * point[0] for share, point in zip(shares, ends, strict=True)),
            sum(share * point[1] for share, point in zip(shares, ends, strict=True)),
        )


def _moved(point: Point, way: Point, far: float) -> Point:
    return point[0] + far * way[0], point[1] + far * way[1]


def _format_point(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
