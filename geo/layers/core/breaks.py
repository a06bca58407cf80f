"""Class breaks that people can read: few, rounded, the same for all periods of a table.

Breaks come from the 1-2-5 sequence (1, 2, 5, 10, 20, ...) and are chosen so that classes hold about equally
many areas. If the values are too close together for that, breaks are multiples of a rounded step.
"""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from data.message import Message
from geo.layers.core import Style
from geo.layers.core.words import format_number, format_quantity

Values = npt.NDArray[np.float64]
_MOST_CLASSES, _MOST_CANDIDATES = 5, 18


def list_round_numbers(low: float, high: float) -> list[float]:
    """List the numbers of the 1-2-5 sequence that are above `low` and not above `high`; both are positive."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    numbers = (float(f"{m}e{p}") for p in powers for m in (1, 2, 5))
    return [n for n in numbers if low < n <= high]


def choose_breaks(values: npt.ArrayLike) -> tuple[float, ...]:
    """Choose the lower bounds of all classes except the first: at most four.

    If zero is among the values, it is a separate class. No class is empty. There are no bounds if no value is above 0,
    or if all values are the same. Values that are not finite are left out.
    """
    numbers = np.asarray(values, dtype=float)
    numbers = np.sort(numbers[np.isfinite(numbers)])
    above = numbers[numbers > 0]
    if above.size == 0:
        return ()
    if above.size == numbers.size:
        return _balanced(above, _MOST_CLASSES)
    first = 1.0 if above[0] >= 1 else list_round_numbers(above[0] / 10, above[0])[-1]
    return (first, *_balanced(above, _MOST_CLASSES - 1))


def _balanced(values: Values, classes: int) -> tuple[float, ...]:
    """Choose the candidates that distribute the sorted values most evenly over the classes (least sum of squares)."""
    below = {c: int(np.searchsorted(values, c)) for c in _candidates(values, classes)}
    distinct = list({below[c]: c for c in reversed(below)}.values())[::-1][:_MOST_CANDIDATES]
    if not distinct:
        return ()
    count = min(classes - 1, len(distinct))

    def unevenness(bounds: tuple[float, ...]) -> int:
        edges = [0, *(below[c] for c in bounds), values.size]
        return sum((b - a) ** 2 for a, b in pairwise(edges))

    return min(combinations(distinct, count), key=unevenness)


def _candidates(values: Values, classes: int) -> list[float]:
    """Return the 1-2-5 numbers in the range of the sorted values or, if these are too few, multiples of a round step.

    Empty if all values are equal.
    """
    low, high = float(values[0]), float(values[-1])
    if low == high:
        return []
    inside = list_round_numbers(low, high)
    wanted = min(classes - 1, np.unique(values).size - 1, 2)
    if len(inside) >= wanted:
        return inside
    step = list_round_numbers((high - low) / classes / 1.001, (high - low) * 10)[0]
    digits = max(0, -math.floor(math.log10(step)))
    count = math.floor(high / step) - math.floor(low / step)
    multiples = (round((math.floor(low / step) + i + 1) * step, digits) for i in range(count))
    return [m for m in multiples if low < m <= high] or inside


def format_classes(breaks: tuple[float, ...], *, whole: bool, sign: str = "") -> tuple[str, ...]:
    """Return the labels of the classes that `breaks` separate; `whole` for counts, `sign` for a unit such as " %"."""
    if not breaks:
        return (Message("all values"),)
    first = "0" if whole and breaks[0] == 1 else Message("under {high}", high=format_number(breaks[0]) + sign)
    middle = (_between(a, b, whole, sign) for a, b in pairwise(breaks))
    return (first, *middle, Message("{low} or more", low=format_number(breaks[-1]) + sign))


def _between(low: float, high: float, whole: bool, sign: str) -> str:
    if whole and high <= 1000 and float(high).is_integer():
        return format_quantity(None, low, high - 1)
    return Message("{low} to {high}", low=format_number(low), high=format_number(high) + sign)


def format_lower_limits(breaks: tuple[float, ...], smallest: float) -> tuple[str, ...]:
    """Return the labels of classes of numbers that are lower limits; `smallest` is the smallest of these numbers."""
    first = "0" if smallest == 0 else format_quantity(None, smallest)
    return (first, *(format_quantity(None, low) for low in breaks))


def list_published_ranges(low: Values, high: Values) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return breaks and labels of published classes from the cells' ranges; NaN in `high` means no upper end."""
    lows = np.unique(low[np.isfinite(low)])
    widest = [float(high[low == bound].max()) for bound in lows]  # NaN if one of them is NaN
    return tuple(float(x) for x in lows[1:]), tuple(
        format_quantity(None, float(a), b) for a, b in zip(lows, widest, strict=True)
    )


def circle_style(values: Values, colours: tuple[str, ...]) -> Style:
    """Return the circle style for values (NaN: none), with the circles of the legend."""
    numbers = values[np.isfinite(values)]
    smallest, largest = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    marks = choose_circle_marks(smallest, largest)
    return Style("circle", marks, colours, tuple(map(format_number, marks)), largest)


def choose_circle_marks(smallest: float, largest: float) -> tuple[float, ...]:
    """Choose up to three circles for a legend, smallest first, each at least four times the one before.

    No circle is for less than `smallest` or 1. If no rounded number fits, only the largest value is used. Empty if
    `largest` is not above 0.
    """
    if largest <= 0:
        return ()
    able = [m for m in list_round_numbers(largest / 60, largest) if m >= max(smallest, 1)]
    return tuple(able[::-1][:5:2][::-1]) or (largest,)
