"""The cells of the Trends page: one for each area, with its name, its change and a small picture.

A picture is SVG inside the address of an image, so it needs no script and no other file. Its words are HTML.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from dashboard.site.cache import cache_once
from dashboard.site.text import _, format_number, html, join_markup

_WIDE, _HIGH, _FOOT = 180.0, 62.0, 6.0
_LOOKS = (
    "<style>.e{stroke:#d3d8de}.i{stroke:#1d2433}.d{stroke:#1b4b8f}.s{stroke:#5b6575}.b{stroke:#9a3412}"
    ".l{stroke:#0f6b66}.a{fill:#0f6b66;opacity:.16}.x{stroke:#c5cbd3}</style>"
)
# The sign of each state, as SVG path data relative to its centre.
_SIGNS = {
    "almost_none": "m-2.2 0a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0 -4.4 0",
    "not_searched": "m-2.5 2.5l5 -5",
    "few": "m-2 1.5h.1m3.8 0h.1m-2 -3.2h.1",
    "withheld": "m-2.3 -2.3l4.6 4.6m0 -4.6l-4.6 4.6",
}
_DASH = "m-2 0h4"


class Badge(NamedTuple):
    """The words on the change of an area, and its direction: "up", "down", "same", or empty if it is unknown.

    certainty : the certainty in words. sure : whether the change is very likely.
    """

    words: str
    side: str
    certainty: str = ""
    sure: bool = False


@dataclass(frozen=True)
class AreaCell:
    """The content of a cell. area, country : codes. badge : the change of the area. picture : SVG.

    scale : the values at the lower and the upper edge of the picture; empty if it shows no number. words : the picture
    in words.
    """

    area: str
    country: str
    name: str
    badge: Badge
    picture: str
    scale: str
    words: str


def draw_counts(met: pd.DataFrame, days: pd.DataFrame, breaks: Iterable[str]) -> str:
    """Return a picture of children met as dots with the bounds of each number, over bars of outreach, as SVG.

    Signs at the foot show states. met, days : frames from `read_met` and `read_effort`. breaks : the quarters with
    which the series breaks.
    """
    periods, top = [str(period) for period in met["period"]], find_top(met)
    place = {period: (n + 0.5) * _WIDE / len(periods) for n, period in enumerate(periods)}
    effort = {str(row["period"]): float(row["value"]) for row in days.to_dict("records") if row["value"] > 0}
    most = max(effort.values(), default=1.0)
    bars = "".join(f"M{place[p]:.0f} {_HIGH - _FOOT}V{_rise(v, most)}" for p, v in effort.items() if p in place)
    numbers, states = met[met["value"].notna()].to_dict("records"), met[met["value"].isna()].to_dict("records")
    ranges = "".join(
        f"M{place[row['period']]:.0f} {_rise(row['low'], top)}V{_rise(row['high'], top)}"
        for row in numbers
        if row["high"] > row["low"]
    )
    dots = "".join(f"M{place[row['period']]:.0f} {_rise(row['value'], top)}h0" for row in numbers)
    signs = "".join(
        f"M{place[row['period']]:.0f} {_HIGH - _FOOT - 4:.0f}{_SIGNS.get(str(row['state']), _DASH)}" for row in states
    )
    marks = "".join(f"M{place[p] - _WIDE / len(periods) / 2:.0f} 0V{_HIGH}" for p in breaks if p in place)
    return _draw(
        _line("e", bars, 0.72 * _WIDE / len(periods)),
        _axis(),
        _line("i", ranges, 1.3),
        _line("d", dots, 6.0, 'stroke-linecap="round"'),
        _line("s", signs, 1.4, 'stroke-linecap="round"'),
        _line("b", marks, 1.4, 'stroke-dasharray="4 3"'),
    )


def draw_share(shares: pd.DataFrame) -> str:
    """Return a picture of the share of internal trafficking as a line with its 95 % interval, as SVG.

    shares : from `read_share`, in per cent; without rows the picture has only its axis.
    """
    if shares.empty:
        return _draw(_axis())
    places = [(n + 0.5) * _WIDE / len(shares) for n in range(len(shares))]
    line, low, high = (
        [f"{x:.0f} {_rise(value, 100.0)}" for x, value in zip(places, shares[name], strict=True)]
        for name in ("value", "low", "high")
    )
    band = f'<path class="a" d="M{"L".join([*high, *reversed(low)])}Z"/>'
    return _draw(band, _axis(), _line("l", f"M{'L'.join(line)}", 1.8))


def find_top(met: pd.DataFrame) -> float:
    """Return the number of children at the upper edge of a picture: the largest bound in `met`, but at least 5."""
    return max(5.0, float(met["high"].max()) if met["high"].notna().any() else 0.0)


def _rise(value: float, top: float) -> str:
    room = _HIGH - _FOOT - 3.0
    return f"{_HIGH - _FOOT - room * min(value, top) / top:.1f}"


def _line(kind: str, path: str, width: float, more: str = "") -> str:
    return f'<path class="{kind}" d="{path}" fill="none" stroke-width="{width:.1f}" {more}/>' if path else ""


def _axis() -> str:
    return _line("x", f"M0 {_HIGH - _FOOT}H{_WIDE:.0f}", 1.0)


def _draw(*parts: str) -> str:
    box = f'viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{_LOOKS}{"".join(parts)}</svg>'


def describe_counts(met: pd.DataFrame) -> str:
    """Return, in words, the numbers that a small picture of children met shows."""
    values = [float(value) for value in met["value"] if not math.isnan(value)]
    if not values:
        return _("no number")
    return _(
        "{first} to {last}: at most {largest} in a period, {newest} in the last one",
        first=met["label"].iloc[0],
        last=met["label"].iloc[-1],
        largest=format_number(max(values)),
        newest=met["words"].iloc[-1],
    )


def render_multiples(
    cells: Sequence[AreaCell], countries: Mapping[str, str], chosen: str, choices: Mapping[str, str], note: str
) -> Markup:
    """Return a note and the cells in groups by country; each cell is a link that chooses its area.

    countries : names by code. chosen : the code of the chosen area. choices : parameters that the links keep.
    """
    rest = "".join(f"&{name}={quote(value)}" for name, value in choices.items())
    groups = [
        html(
            "<h2>{}</h2><ul>{}</ul>",
            name,
            join_markup(
                _render_cell(cell, rest, is_chosen=cell.area == chosen) for cell in cells if cell.country == code
            ),
        )
        for code, name in countries.items()
    ]
    return html('<div class="multiples"><p class="notes">{}</p>{}</div>', note, join_markup(groups))


@cache_once(maxsize=2048)
def _render_cell(cell: AreaCell, rest: str, *, is_chosen: bool) -> Markup:
    """Return a cell as markup. rest : the part of its address after the area."""
    return html(
        '<li><a href="?area={}{}" target="_self" data-reveal=".st-key-trend"{}><b>{}</b>'
        '<em class="{}" title="{}">{}</em><span><i>{}</i><img src="data:image/svg+xml,{}" alt="{}"></span></a></li>',
        quote(cell.area),
        rest,
        Markup(' aria-current="true"') if is_chosen else "",
        cell.name,
        f"{cell.badge.side} {'sure' if cell.badge.sure else ''}".strip(),
        f"{cell.badge.words} ({cell.badge.certainty})" if cell.badge.certainty else cell.badge.words,
        cell.badge.words,
        cell.scale,
        quote(cell.picture),
        cell.words,
    )
