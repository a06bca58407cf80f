"""The sheet of a view of the map: the same layers, numbers, states and words as on the page."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.briefing.map import AreaShape, outline_areas
from dashboard.briefing.sheet import NO_DATA, LegendPart, LegendRow, Sheet, fill_state, name_file, render_sheet
from dashboard.map import marks
from dashboard.map.plane import find_centres
from dashboard.map.values import STATE_CODES, Mark, list_states
from dashboard.map.view import (
    SHARED_OPTION,
    MapView,
    find_latest,
    has_numbers,
    list_view_periods,
    parse_address,
    settle_view,
)
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from dashboard.site.text import _, translate
from data.release import Release
from geo.areas import Areas
from geo.layers import choose_caution
from geo.layers.core.words import format_margin

_SCALE = 1.25  # units of the sheet for a pixel of the page
_COUNTS, _HATCH, _KNOWN = "#1B4B8F", "#7757AF", "#E9E5DA"
_CIRCLE = f'fill="{_COUNTS}" fill-opacity="0.82" stroke="#fff" stroke-width="1.2"'
_SMALLEST = 2.5
_GAPS = (16.0, 12.0, 9.0, 7.0, 5.5)
_PATHWAYS = ("internal", "cross_border")
_NUMBERS = ("value", "margin", "low", "high")
_MARGINS = ("value", "margin", "noisy", "noisy_margin")
_DIGITS = 6


def make_view_sheet(current: CurrentRelease, parameters: Mapping[str, str]) -> Sheet | None:
    """Return the sheet of the view that an address asks for; None where the release has no layer."""
    view = _read_view(current, parameters)
    if not view.layer:
        return None
    areas, names = load_areas(current.release), read_area_names(current)
    shown = marks.read_marks(current, view)
    filled = next((mark for mark in shown if mark.data.style.kind == "fill"), None)
    over: list[str] = []
    # Circles lie on hatches, and these on the areas.
    for mark in sorted(shown, key=lambda mark: mark.data.style.kind == "circle"):
        if mark.data.style.kind != "fill":
            over += _draw_over(areas, view.level, mark, names)
    caution = choose_caution(view.layers)
    parts = [_make_part(mark, over_fill=filled is not None) for mark in shown]
    if caution:
        parts[-1] = replace(parts[-1], notes=[*parts[-1].notes, _(caution)])
    return Sheet(
        areas,
        view.level,
        _fill_areas(areas, view.level, filled or shown[0], names),
        parts,
        {code: str(names[code]) for code in outline_areas(areas, view.level)} if view.level != "municipality" else {},
        over=over,
        patterns={key: pattern for mark in shown for key, pattern in _make_patterns(mark).items()},
    )


def _read_view(current: CurrentRelease, parameters: Mapping[str, str]) -> MapView:
    """Return the view of an address as the page opens it."""
    view = settle_view(parse_address(parameters), current, load_areas(current.release).table)
    layer, option = SHARED_OPTION
    if layer in view.layers:
        asked = parameters.get("pathway", "")
        view = view.choosing(layer, option, asked if asked in _PATHWAYS else _PATHWAYS[0])
    if not parameters.get("period") and list_view_periods(view, current) and not has_numbers(view, current):
        view = replace(view, period=find_latest(view, current))
    return view


def _fill_areas(areas: Areas, level: str, mark: Mark, names: pd.Series) -> dict[str, AreaShape]:
    """Return the areas filled by class or state; under circles and hatches by state alone."""
    is_fill = mark.data.style.kind == "fill"
    return {
        code: AreaShape(
            fill_state(state) if state in STATE_CODES else mark.data.style.colours[place] if is_fill else _KNOWN,
            cell if is_fill else {},
            words if is_fill else "",
        )
        for code, place, state, cell, words in _list_cells(areas, level, mark, names)
    }


def _list_cells(
    areas: Areas, level: str, mark: Mark, names: pd.Series
) -> Iterator[tuple[str, int, str, dict[str, str], str]]:
    """Yield each area with its class, its state, what is shown of it, and that in words: as the page shows it."""
    codes, texts = list(outline_areas(areas, level)), mark.data.texts()
    rows, classes = list_states(mark.data, codes), mark.data.classes().reindex(codes).fillna(0).clip(lower=0)
    for code, row in zip(codes, rows.to_dict("records"), strict=True):
        state = str(row["state"])
        cell = {"area": code, "state": state}
        words = mark.words.get(state, "")
        if state not in STATE_CODES:
            numbers = {name: float(row[name]) for name in _NUMBERS if name in row and not pd.isna(row[name])}
            cell |= {name: f"{number:.{_DIGITS}f}".rstrip("0").rstrip(".") for name, number in numbers.items()}
            words = f"{translate(texts.get(code, ''))} {_word_margin(row, state)}".rstrip()
        yield code, int(classes[code]), state, cell, f"{names[code]}: {words}"


def _word_margin(row: Mapping[Hashable, Any], state: str) -> str:
    """Return the margin as the panel and the files say it; empty for a number without one."""
    value, margin, noisy, noisy_margin = (float(row.get(name, math.nan)) for name in _MARGINS)
    return translate(format_margin(value, margin, state, noisy - noisy_margin)) if value == value and margin else ""


def _draw_over(areas: Areas, level: str, mark: Mark, names: pd.Series) -> list[str]:
    """Draw a layer of circles or hatches that lies on the areas."""
    style, outlines = mark.data.style, outline_areas(areas, level)
    cells = [cell for cell in _list_cells(areas, level, mark, names) if cell[2] not in STATE_CODES]
    if style.kind != "circle":
        border = f'stroke="{_HATCH}" stroke-width="1.2" '
        return [
            AreaShape(f"url(#{_name_hatch(mark, place)})", cell, words).draw(outlines[code], border)
            for code, place, _state, cell, words in cells
        ]
    points = find_centres(areas, outlines)
    sized = [
        (_SCALE * max(_SMALLEST, style.radius(float(cell[3].get("value", "nan")), mark.most)), cell)
        for cell in cells
        if "value" in cell[3] and cell[0] in points
    ]
    # The largest first, so that small ones lie on top.
    return [
        f'<circle cx="{points[code][0]:.1f}" cy="{points[code][1]:.1f}" r="{radius:.1f}" {_CIRCLE}'
        + AreaShape("", cell, words).describe("circle")
        for radius, (code, _place, _state, cell, words) in sorted(sized, key=lambda pair: -pair[0])
        if not math.isnan(radius)
    ]


def _name_hatch(mark: Mark, place: int) -> str:
    return f"hatch-{mark.data.style.colours[place].lstrip('#')}-{place}"


def _make_patterns(mark: Mark) -> dict[str, str]:
    """Return the patterns of a layer of hatches: the closer the lines, the more."""
    if mark.data.style.kind != "hatch":
        return {}
    colours = mark.data.style.colours
    patterns = {}
    for place, (colour, gap) in enumerate(zip(colours, _GAPS[-len(colours) :], strict=True)):
        name = _name_hatch(mark, place)
        patterns[name] = (
            f'<pattern id="{name}" width="{gap}" height="{gap}" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><path d="M0 0V{gap}" stroke="{colour}" stroke-width="2.4"/></pattern>'
        )
    return patterns


def _make_part(mark: Mark, *, over_fill: bool) -> LegendPart:
    words = mark.data.legend
    unit = ", ".join(part for part in (mark.unit, translate(words.period)) if part)
    margin = translate(words.margin)
    source = translate(words.source).rstrip(".")
    notes = [f"{text[:1].upper()}{text[1:]}." for text in (margin, source) if text]
    return LegendPart(mark.title, unit, [*_list_classes(mark), *_list_states_of(mark, over_fill=over_fill)], notes)


def _list_classes(mark: Mark) -> list[LegendRow]:
    style = mark.data.style
    if style.kind == "circle":
        radii = (_SCALE * max(_SMALLEST, style.radius(value, mark.most)) for value in style.breaks)
        return [LegendRow(_CIRCLE, label, radius) for radius, label in zip(radii, mark.labels, strict=True)]
    if not mark.data.classes().ge(0).any():
        return []
    fills = (
        style.colours if style.kind == "fill" else [f"url(#{_name_hatch(mark, n)})" for n in range(len(style.colours))]
    )
    return [LegendRow(fill, label) for fill, label in zip(fills, mark.labels, strict=True)]


def _list_states_of(mark: Mark, *, over_fill: bool) -> list[LegendRow]:
    """Return the states that occur; where another layer fills the areas, without their pattern."""
    present = set(mark.data.list_marks()) & set(STATE_CODES)
    hidden = over_fill and mark.data.style.kind != "fill"
    return [LegendRow(NO_DATA if hidden else fill_state(s), mark.words[s]) for s in STATE_CODES if s in present]


def write_view_sheets(release: Release, folder: Path) -> list[Path]:
    """Write the sheet of each layer of a release at each of its levels as SVG, for the search for leaks."""
    current, files = current_release.follow_release(release), []
    for layer, levels in current_release.list_levels(current).items():
        for level in levels:
            sheet = make_view_sheet(current, {"layer": layer, "level": level})
            if sheet is not None:
                path = folder / name_file(release, f"{layer}-{level}", "svg")
                path.write_bytes(render_sheet(sheet, release, "svg"))
                files.append(path)
    return files
