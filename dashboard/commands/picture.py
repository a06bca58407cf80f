"""The picture of a comparison of policies: readers' loss across, attackers' gain upwards, as SVG.

Four panels, two ways to lose by two ways to gain. A point is a policy; a limit is a line, and what lies above
it is not allowed. Written by hand: nothing that draws is needed, and any browser shows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from dashboard.commands.policy_words import Comparison
from data.disclosure.attacks.membership.attacker import LIMITS
from data.restricted.comparison import ALL_NUMBERS, BOTH, ONE_NUMBER, Measured

__all__ = ["draw"]

_INK, _MUTED, _PAPER, _CARD, _LINE = "#1D2433", "#5B6575", "#FBFAF7", "#FFFFFF", "#DFE3E8"
_FAINT = "#A9B2BF"
_ACCENT, _WARNING, _SOFT = "#0F6B66", "#9A3412", "#FDF0E6"
_FONT = "'Source Sans 3','Source Sans Pro','Noto Sans',sans-serif"
_WIDE, _LEFT, _TOP, _PANEL, _HIGH = 940, 86, 122, 380, 210
_BESIDE, _BELOW, _ROW = 42, 76, 24
_DOT, _CLOSE = 6.0, 15.0
_HOW_TO_READ = (
    "Each letter is a policy. Further left, readers lose less; further down, attackers gain less. "
    "Above a limit is not allowed."
)
_HOW_FAR = (
    "Lines through points: across, how far the worlds differ; upwards, the interval of 95 %. "
    "Small ring: before the release withheld breakdowns."
)
# Where a letter may stand beside its point, best first.
_PLACES = ((11, -8), (-11, -8), (11, 19), (-11, 19), (14, 5), (-14, 5), (0, -14), (0, 24), (26, 5), (-26, 5))


@dataclass(frozen=True)
class _Axis:
    """Values from least to most on so many pixels, the first at `start`; ticks on round values."""

    least: float
    most: float
    start: float
    length: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, length: float) -> _Axis:
        """Hold all values with room around them."""
        least, most = min(values), max(values)
        room = 0.14 * (most - least) or 0.1 * abs(most) or 0.01
        return cls(max(least - room, 0.0), most + room, start, length)

    def at(self, value: float) -> float:
        """Give the place of a value."""
        return self.start + (value - self.least) / (self.most - self.least) * self.length

    @property
    def ticks(self) -> list[float]:
        """Give round values, seven at most."""
        rough = (self.most - self.least) / 6
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(size * m for m in (1, 2, 5, 10) if size * m >= rough)
        first = math.ceil(self.least / step - 1e-9)
        return [step * n for n in range(first, math.floor(self.most / step + 1e-9) + 1)]


@dataclass(frozen=True)
class _Loss:
    """One way in which readers lose: what it is, and its value and spread; None where nothing is shown."""

    words: str
    value: Callable[[Measured], float | None]
    spread: Callable[[Measured], tuple[float, float] | None]


@dataclass(frozen=True)
class _Gain:
    """One way in which attackers gain; before: what it was until the release withheld."""

    name: str
    words: str
    limit: float
    value: Callable[[Measured], float]
    spread: Callable[[Measured], tuple[float, float] | None]
    before: Callable[[Measured], float | None]


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


_LOSSES = (
    _Loss(
        "Children the public does not see, of 100",
        lambda m: 100 * m.readers[BOTH].hidden_children,
        lambda m: (100 * m.hidden[0], 100 * m.hidden[1]),
    ),
    _Loss(
        "Shown numbers are off by, per cent (median)",
        lambda m: _hundred(m.readers[BOTH].relative_error),
        lambda _: None,
    ),
)
_GAINS = (
    _Gain(
        ONE_NUMBER,
        "One number tells",
        LIMITS[0],
        lambda m: m.attackers.one_number,
        lambda _: None,
        lambda _: None,
    ),
    _Gain(
        ALL_NUMBERS,
        "All numbers tell",
        LIMITS[1],
        lambda m: m.attackers.all_numbers,
        lambda m: (m.attackers.all_numbers_low, m.attackers.all_numbers_high),
        lambda m: m.attackers.planned,
    ),
)


def draw(told: Comparison) -> str:
    """Draw the picture of a comparison; text of an SVG file."""
    high = _TOP + len(_GAINS) * (_HIGH + _BELOW) + 14 + _ROW * (len(told.found) + 1)
    title = "What readers lose and what attackers gain"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high}" width="{_WIDE}" '
        f'height="{high}" role="img" aria-labelledby="title about" font-family="{_FONT}" font-size="13">',
        f'<title id="title">{title}</title><desc id="about">{escape(_spoken(told))}</desc>',
        _rectangle(0, 0, _WIDE, high, _PAPER),
        _text(24, 40, title, size=21, weight=600),
        _text(24, 62, f"{told.basis}. No record was read; all numbers are invented.", _WARNING, weight=600),
        _text(24, 82, _HOW_TO_READ, _MUTED),
    ]
    for row, gain in enumerate(_GAINS):
        for column, loss in enumerate(_LOSSES):
            corner = _LEFT + column * (_PANEL + _BESIDE), _TOP + row * (_HIGH + _BELOW)
            parts += _panel(told, loss, gain, corner, labelled=column == 0)
    parts += _legend(told, _TOP + len(_GAINS) * (_HIGH + _BELOW) + 14)
    return "\n".join([*parts, "</svg>", ""])


def _panel(
    told: Comparison, loss: _Loss, gain: _Gain, corner: tuple[float, float], *, labelled: bool
) -> Iterator[str]:
    """Draw one loss against one gain."""
    left, top = corner
    known = [n for n, one in enumerate(told.found) if loss.value(one) is not None]
    across = [float(loss.value(told.found[n]) or 0.0) for n in known]
    ends = [end for n in known for end in loss.spread(told.found[n]) or ()]
    x = _Axis.over([*across, *ends] or [0.0, 1.0], left, _PANEL)
    y = _Axis.over([gain.limit, *_heights(told, gain)], top + _HIGH, -_HIGH)
    yield _rectangle(left, top, _PANEL, _HIGH, _CARD)
    yield _rectangle(left, top, _PANEL, y.at(gain.limit) - top, _SOFT)
    yield from _grid(x, y, corner, gain if labelled else None)
    yield from _limit(y, gain, corner)
    yield _text(left + _PANEL / 2, top + _HIGH + 40, loss.words, anchor="middle")
    points = [(x.at(value), y.at(gain.value(told.found[n]))) for n, value in zip(known, across, strict=True)]
    for n, point in zip(known, points, strict=True):
        yield from _spread(told.found[n], loss, gain, (x, y), point)
    taken = list(points)
    drawn = sorted(zip(known, points, strict=True), key=lambda pair: pair[0] == told.current)
    for n, point in drawn:  # the current policy on top
        yield from _point(told, n, point, taken)


def _heights(told: Comparison, gain: _Gain) -> Iterator[float]:
    for one in told.found:
        before = gain.before(one)
        yield from (gain.value(one), *(gain.spread(one) or ()), *([] if before is None else [before]))


def _grid(x: _Axis, y: _Axis, corner: tuple[float, float], gain: _Gain | None) -> Iterator[str]:
    left, top = corner
    for tick in x.ticks:
        yield _line(x.at(tick), top, x.at(tick), top + _HIGH, _LINE)
        yield _text(x.at(tick), top + _HIGH + 19, f"{round(tick, 6):g}", _MUTED, anchor="middle")
    digits = 2 if all(abs(100 * tick - round(100 * tick)) < 1e-6 for tick in y.ticks) else 3
    for tick in y.ticks:
        yield _line(left, y.at(tick), left + _PANEL, y.at(tick), _LINE)
        if gain is not None:
            yield _text(left - 8, y.at(tick) + 4, f"{tick:.{digits}f}", _MUTED, anchor="end")
    if gain is not None:
        yield _text(left - 62, top - 10, f"{gain.words}, over guessing", weight=600)


def _limit(y: _Axis, gain: _Gain, corner: tuple[float, float]) -> Iterator[str]:
    """Draw and name the line above which nothing is allowed."""
    left, top = corner
    place = y.at(gain.limit)
    yield _line(left, place, left + _PANEL, place, _WARNING, 1.4, "6 4")
    words = f"above the limit of {gain.limit:.2f}: not allowed"
    yield _text(left + _PANEL - 9, top + 18, words, _WARNING, anchor="end", size=12)


def _spread(
    one: Measured, loss: _Loss, gain: _Gain, axes: tuple[_Axis, _Axis], point: tuple[float, float]
) -> Iterator[str]:
    """Draw how far worlds differ, the interval of an estimate, and what it was before withholding."""
    (x, y), (px, py) = axes, point
    if (ends := loss.spread(one)) is not None:
        yield _line(x.at(ends[0]), py, x.at(ends[1]), py, _FAINT, 1.4)
    if (ends := gain.spread(one)) is not None:
        yield _line(px, y.at(ends[0]), px, y.at(ends[1]), _FAINT, 1.4)
    before = gain.before(one)
    if before is not None and before > gain.value(one):
        yield _line(px, y.at(before) + 4, px, py, _MUTED, 1.0, "2 3")
        yield _circle(px, y.at(before), 4, _CARD, _MUTED)


def _point(
    told: Comparison, place: int, point: tuple[float, float], taken: list[tuple[float, float]]
) -> Iterator[str]:
    x, y = point
    colour = _colour(told, place)
    yield from _mark(told, place, x, y)
    tried = [(x + right, y + down) for right, down in _PLACES]
    others = [at for at in taken if at != point]
    free = (p for p in tried if all(math.hypot(p[0] - a, p[1] - 5 - b) > _CLOSE for a, b in others))
    chosen = next(free, tried[0])
    taken.append((chosen[0], chosen[1] - 5))
    anchor = "start" if chosen[0] > x + 1 else "end" if chosen[0] < x - 1 else "middle"
    yield _text(*chosen, told.names[place], colour, anchor=anchor, size=15, weight=700, haloed=True)


def _legend(told: Comparison, top: float) -> Iterator[str]:
    for place, name in enumerate(told.names):
        y, colour = top + _ROW * place, _colour(told, place)
        yield from _mark(told, place, 34, y - 4)
        yield _text(52, y, name, colour, size=15, weight=700)
        yield _text(74, y, told.title(place), weight=600)
        yield _text(420, y, told.verdict(place), _WARNING if told.found[place].fails else _MUTED)
    y = top + _ROW * len(told.found)
    yield _text(24, y + 4, _HOW_FAR, _MUTED, size=12)


def _mark(told: Comparison, place: int, x: float, y: float) -> Iterator[str]:
    """Draw the point of a policy; the current one has a second ring."""
    colour = _colour(told, place)
    if place == told.current:
        yield _circle(x, y, _DOT + 4, "none", colour)
    yield _circle(x, y, _DOT, colour, _CARD)


def _colour(told: Comparison, place: int) -> str:
    if told.found[place].fails:
        return _WARNING
    return _ACCENT if place == told.current else _INK


def _spoken(told: Comparison) -> str:
    """Say the picture to who cannot see it."""
    return " ".join(f"{n}: {told.title(p)}, {told.verdict(p)}." for p, n in enumerate(told.names))


def _rectangle(x: float, y: float, wide: float, high: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{colour}"/>'


def _circle(x: float, y: float, radius: float, fill: str, rim: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}" stroke="{rim}" '
        'stroke-width="1.4"/>'
    )


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dashes: str = ""
) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashed}/>'
    )


def _text(
    x: float,
    y: float,
    words: str,
    colour: str = _INK,
    *,
    anchor: str = "start",
    size: int = 13,
    weight: int = 400,
    haloed: bool = False,
) -> str:
    halo = f' paint-order="stroke" stroke="{_CARD}" stroke-width="3"' if haloed else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}"{halo}>{escape(words)}</text>'
    )
