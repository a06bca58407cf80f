"""The map of the briefing: areas of both countries and the moves as arrows, drawn as SVG.

It is a picture, nothing is measured on it: degrees, the longitude shortened as at 38.7 degrees north. Shapes
are those of the release (simplified as for the browser); the land around them ships with the product.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from dashboard.briefing.arrows import Arrow, arrow
from dashboard.briefing.labels import placed
from data import reference
from geo.areas import LEVELS, Areas
from geo.layers.core.palette import COVERAGE

BREAKS = (0.2, 0.4, 0.6, 0.8)
_LATITUDE = 38.7
_WIDTH = 1000.0
_BOUNDS = (18.2, 34.6, 28.6, 42.9)
_SEA, _LAND, _LAND_BORDER, _NONE = "#E4ECF1", "#F1F0EC", "#D5D8DC", "#FFFFFF"
_COUNTRY = "#3B4252"
_SHRINK = math.cos(math.radians(_LATITUDE))
_SCALE = _WIDTH / ((_BOUNDS[2] - _BOUNDS[0]) * _SHRINK)
_HEIGHT = (_BOUNDS[3] - _BOUNDS[1]) * _SCALE
MOST_ARROWS = 12


@dataclass(frozen=True)
class Flow:
    """Units that go from an area to another, of all kinds together."""

    start: str
    end: str
    units: int


def class_of(share: float) -> int:
    """Give the position in COVERAGE of a share of need that is met."""
    return sum(share >= one for one in BREAKS)


def drawn(
    areas: Areas,
    shares: Mapping[str, float],
    flows: Sequence[Flow] = (),
    names: Mapping[str, str] | None = None,
    size: float = 28.0,
) -> str:
    """Draw regions filled by the share of need that is met, arrows of flows, and names of areas.

    Names are `size` thousandths of the width high. Areas without a share are white. Of many flows the first
    are drawn; those from or to a place that is no area of the release are left out.
    """
    points = _centres(areas, {end for flow in flows for end in (flow.start, flow.end)} | set(names or {}))
    known = [flow for flow in flows if flow.start in points and flow.end in points][:MOST_ARROWS]
    # The thickest first, so that thin ones lie on top.
    thick = sorted(known, key=lambda flow: (-flow.units, flow.start, flow.end))
    arrows = [arrow(points[flow.start], points[flow.end], flow.units) for flow in thick]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}">',
        f'<rect width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" fill="{_SEA}"/>',
        _land(),
        *_regions(areas, shares),
        f'<path d="{_borders(areas)}" fill="none" stroke="{_COUNTRY}" stroke-width="1.5"/>',
        *(one.svg for one in arrows),
        *_labels(points, names or {}, arrows, size),
        "</svg>",
    ]
    return "".join(parts)


def _xy(lon: float, lat: float) -> tuple[float, float]:
    return (lon - _BOUNDS[0]) * _SHRINK * _SCALE, (_BOUNDS[3] - lat) * _SCALE


def _centres(areas: Areas, codes: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Place areas of any level."""
    wanted = set(codes) & set(areas.table.index)
    found: dict[str, tuple[float, float]] = {}
    for level in LEVELS:
        inside = [code for code in wanted if areas.table.loc[code, "level"] == level]
        centres = areas.centres(level).reindex(inside).dropna() if inside else pd.DataFrame()
        found |= {str(row[0]): _xy(float(row[1]), float(row[2])) for row in centres.itertuples(name=None)}
    return found


def _labels(
    points: Mapping[str, tuple[float, float]], names: Mapping[str, str], arrows: Sequence[Arrow], size: float
) -> Iterable[str]:
    wanted = [(names[code], points[code]) for code in names if code in points]
    passed = [point for one in arrows for point in one.passes]
    return placed(wanted, passed, (_WIDTH, _HEIGHT), size)


def _regions(areas: Areas, shares: Mapping[str, float]) -> Iterable[str]:
    for feature in areas.map_geometry("region")["features"]:
        share = shares.get(feature["properties"]["code"])
        fill = _NONE if share is None else COVERAGE[class_of(share)]
        path = _path(shapely.from_geojson(json.dumps(feature["geometry"])))
        yield f'<path d="{path}" fill="{fill}" stroke="#fff" stroke-width="1.4"/>'


def _borders(areas: Areas) -> str:
    return _path(shapely.from_geojson(json.dumps(areas.map_geometry("country")["borders"])))


@lru_cache(maxsize=1)
def _land() -> str:
    """Draw the land around both countries."""
    frame = shapely.box(_BOUNDS[0] - 1, _BOUNDS[1] - 1, _BOUNDS[2] + 1, _BOUNDS[3] + 1)
    features = json.loads((reference.FOLDER / "land.geojson").read_text(encoding="utf-8"))["features"]
    shapes = (shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features)
    paths = (_path(shape.intersection(frame)) for shape in shapes if shape.intersects(frame))
    look = f'fill="{_LAND}" stroke="{_LAND_BORDER}" stroke-width="1.5"'
    return "".join(f'<path d="{path}" {look}/>' for path in paths if path)


def _path(shape: BaseGeometry) -> str:
    """Write the rings or lines of a shape."""
    lines: list[Any] = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            lines += [(ring, True) for ring in (part.exterior, *part.interiors)]
        elif part.geom_type == "LineString":
            lines.append((part, False))
    return "".join(_line(line.coords, closed=closed) for line, closed in lines)


def _line(coords: Iterable[tuple[float, ...]], *, closed: bool) -> str:
    points = [_xy(lon, lat) for lon, lat, *_ in coords]
    pairs = [f"{x:.1f} {y:.1f}" for x, y in points]
    return f"M{'L'.join(pairs)}{'Z' if closed else ''}"
