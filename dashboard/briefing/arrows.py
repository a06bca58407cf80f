"""Arrows on the briefing's map, as SVG: bent, as wide as the units that move, with a white rim."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Point = tuple[float, float]

COLOUR = "#9A3412"
_BEND, _LEAST, _STEPS, _WIDEST = 0.2, 1.0, 12, 6
_RIM = 5.0


@dataclass(frozen=True)
class Arrow:
    """An arrow as SVG, and points that it passes."""

    svg: str
    passes: tuple[Point, ...]


def arrow(start: Point, end: Point, units: int) -> Arrow:
    """Bend an arrow to the right of its way, so that one there and one back do not meet."""
    width = 4.0 + 1.4 * min(units, _WIDEST)
    length = max(math.dist(start, end), _LEAST)
    across = (-(end[1] - start[1]) / length, (end[0] - start[0]) / length)
    middle = _moved(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), across, _BEND * length)
    way = max(math.dist(middle, end), _LEAST)
    along = ((end[0] - middle[0]) / way, (end[1] - middle[1]) / way)
    head = min(2.8 * width, 0.6 * length)
    neck = _moved(end, along, -head)
    line = f"M{_at(start)}Q{_at(middle)} {_at(neck)}"
    aside = (-along[1], along[0])
    corners = (_moved(neck, aside, 0.5 * head), _moved(neck, aside, -0.5 * head))
    tip = f"M{_at(end)}L{_at(corners[0])}L{_at(corners[1])}Z"
    return Arrow(_svg(line, tip, start, width), tuple(_along(start, middle, end)))


def _svg(line: str, tip: str, start: Point, width: float) -> str:
    round_line = 'fill="none" stroke-linecap="round"'
    return (
        f'<path d="{line}" {round_line} stroke="#fff" stroke-width="{width + _RIM:.1f}"/>'
        f'<path d="{tip}" fill="#fff" stroke="#fff" stroke-width="{_RIM:.1f}" stroke-linejoin="round"/>'
        f'<path d="{line}" {round_line} stroke="{COLOUR}" stroke-width="{width:.1f}"/>'
        f'<circle cx="{start[0]:.1f}" cy="{start[1]:.1f}" r="{0.9 * width:.1f}" fill="{COLOUR}" '
        f'stroke="#fff" stroke-width="{_RIM / 2:.1f}"/><path d="{tip}" fill="{COLOUR}"/>'
    )


def _along(start: Point, middle: Point, end: Point) -> Iterable[Point]:
    """Give points of a quadratic Bézier curve."""
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


def _at(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
