"""Names on the briefing's map, as SVG text: beside their place, off arrows and off each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

Point = tuple[float, float]
Box = tuple[float, float, float, float]

_WIDE, _GAP, _PASSED = 0.5, 15.0, 6.0
_INK = "#1D2433"
_OVERLAP, _OUTSIDE = 40.0, 200.0


def placed(
    names: Sequence[tuple[str, Point]], passed: Sequence[Point], whole: Point, size: float
) -> Iterable[str]:
    """Write names, each where it meets least: arrows by the points that they pass, names before it, edges.

    A name for which there is no room is left out.
    """
    taken: list[Box] = []
    for name, point in names:
        boxes = _around(point, _WIDE * size * len(name), size)
        costs = [_cost(box, taken, passed, whole) + 0.1 * order for order, box in enumerate(boxes)]
        if min(costs) < _OVERLAP:
            best = boxes[costs.index(min(costs))]
            taken.append(best)
            yield _text(name, best, size)


def _around(point: Point, wide: float, high: float) -> list[Box]:
    """Give the places around a point: right, left, above, below, and the four corners."""
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


def _text(name: str, box: Box, size: float) -> str:
    look = f'font-family="Source Sans 3" font-weight="600" font-size="{size:.0f}" text-anchor="middle"'
    at = f'x="{(box[0] + box[2]) / 2:.1f}" y="{box[1] + 0.8 * size:.1f}"'
    rim = f'stroke="#fff" stroke-width="{size / 3.5:.1f}" stroke-linejoin="round" paint-order="stroke"'
    return f'<text {look} {at} fill="{_INK}" {rim}>{escape(name)}</text>'
