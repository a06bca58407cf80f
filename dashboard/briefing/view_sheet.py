"""The downloadable sheet of a view of the map, with the layers, numbers, states and words that the page shows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd

from dashboard.briefing.map import AreaShape, Flow, outline_areas
from dashboard.briefing.sheet import NO_DATA, Drawing, LegendPart, LegendRow, Sheet, draw_areas, fill_state
from dashboard.map import marks, plane
from dashboard.map.area_marks import AreaMark, Key
from dashboard.map.plane import find_centres, project
from dashboard.map.values import STATE_CODES, Arrow, Mark, list_states
from dashboard.map.view import SHARED_OPTION, MapView, move_to_numbers, parse_address, settle_view
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from dashboard.site.text import _, capitalise, translate
from geo.areas import Areas
from geo.layers import choose_caution
from geo.layers.core.words import format_margin

_SCALE = 1.25  # units of the sheet for a pixel of the page
_COUNTS, _HATCH, KNOWN = "#1B4B8F", "#7757AF", "#E9E5DA"
_CIRCLE = f'fill="{_COUNTS}" fill-opacity="0.82" stroke="#fff" stroke-width="1.2"'
_SMALLEST = 2.5
_GAPS = (16.0, 12.0, 9.0, 7.0, 5.5)
_PATHWAYS = ("internal", "cross_border")
_NUMBERS = ("value", "margin", "low", "high", "noisy", "noisy_margin")
_MARGINS = ("value", "margin", "noisy", "noisy_margin")
_DIGITS = 6
_INK, WIDER, _LOOP, _RIM = "#1D2433", 1.8, 13.0, 4.0  # units: for a pixel of an arrow's width, radius of a loop, rim


def make_view_sheet(current: CurrentRelease, parameters: Mapping[str, str]) -> Sheet | None:
    """Return the sheet of the view that an address asks for; None if the release has no layer for it."""
    view = _read_view(current, parameters)
    return draw_view(current, view) if view.layer else None


def draw_view(current: CurrentRelease, view: MapView, heading: str = "", sentences: Sequence[str] = ()) -> Sheet:
    """Return the sheet of a view of the map."""
    shown = marks.read_marks(current, view)
    caution = choose_caution(view.layers)
    return draw_layers(current, view.level, shown, [_(caution)] if caution else [], heading, sentences)


def draw_layers(
    current: CurrentRelease,
    level: str,
    shown: Sequence[Mark],
    notes: Sequence[str] = (),
    heading: str = "",
    sentences: Sequence[str] = (),
    over: Sequence[str] = (),
    *,
    numbered: bool = True,
) -> Sheet:
    """Return the sheet of the layers in `shown`, of which the first is the main one.

    notes : added to the legend of the last layer. over : SVG elements that lie on the layers. numbered : whether areas
    show their numbers; if not, only the words of their class.
    """
    areas, names = load_areas(current.release), read_area_names(current)
    filled = next((mark for mark in shown if mark.data.style.kind == "fill"), None)
    # Circles lie on hatches, and these on the areas.
    layers = sorted(shown, key=lambda mark: mark.data.style.kind == "circle")
    drawn = [svg for mark in layers if mark.data.style.kind != "fill" for svg in _draw_over(areas, level, mark, names)]
    parts = [make_part(mark, over_fill=filled is not None) for mark in shown]
    parts[-1] = replace(parts[-1], notes=[*parts[-1].notes, *notes])
    return Sheet(
        [
            draw_areas(
                areas,
                level,
                _fill_areas(areas, level, filled or shown[0], names, numbered=numbered),
                {code: str(names[code]) for code in outline_areas(areas, level)} if level != "municipality" else {},
                over=[*drawn, *over],
            )
        ],
        parts,
        any(map(_is_invented, shown)),
        heading,
        sentences,
        {key: pattern for mark in shown for key, pattern in _make_patterns(mark).items()},
    )


def _is_invented(mark: Mark) -> bool:
    """Return whether any number of a layer is invented: the whole layer, or some of its published figures."""
    frame = mark.data.frame
    return mark.data.invented or bool("invented" in frame and frame["invented"].eq(other=True).any())


def draw_marks(current: CurrentRelease, area_marks: Mapping[str, AreaMark], flows: Sequence[Flow] = ()) -> Drawing:
    """Draw a page's map of counties and regions as a picture.

    area_marks : how each area is drawn, by code. The numbers in their words become attributes that the search for leaks
    can read. flows : as for `draw_map`.
    """
    shapes = {
        code: AreaShape(
            fill_state("cannot_tell") if mark.unsure else mark.colour,
            {"area": code, **{name: format_cell(number) for name, number in mark.numbers.items()}},
            mark.words,
        )
        for code, mark in area_marks.items()
    }
    names = {code: mark.name for code, mark in area_marks.items() if mark.name}
    return draw_areas(load_areas(current.release), "region", shapes, names, flows)


def draw_arrow(arrow: Arrow, cell: Mapping[str, str] | None = None) -> str:
    """Return an arrow of a page's map as SVG; a flow within one area is a loop.

    cell : the data that the arrow shows, by attribute name; without it the arrow has no tooltip either.
    """
    (start, end), width = (project(lon, lat) for lat, lon in (arrow.start, arrow.end)), WIDER * arrow.width
    colour = arrow.colour or _INK
    if start == end:
        ring = f'cx="{start[0]:.1f}" cy="{start[1] - _LOOP:.1f}" r="{_LOOP}" fill="none"'
        rim = f'<circle {ring} stroke="#fff" stroke-width="{width + _RIM:.1f}"/>'
        drawn, middle = f'{rim}<circle {ring} stroke="{colour}" stroke-width="{width:.1f}"/>', start
    else:
        line = plane.draw_arrow(start, end, width, colour)
        drawn, middle = line.svg, line.points[len(line.points) // 2]
    if arrow.sign:
        x, y = middle
        drawn += (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="13" fill="{_INK}" stroke="#fff" stroke-width="2"/>'
            f'<text x="{x:.1f}" y="{y + 5:.1f}" font-size="15" text-anchor="middle" fill="#fff">'
            f"{escape(arrow.sign)}</text>"
        )
    return f"<g{AreaShape('', cell or {}, arrow.label if cell else '').describe('g', drawn)}"


def make_key_part(key: Key, notes: Sequence[str] = ()) -> LegendPart:
    """Return the legend of a map that is a picture; a class without a colour has the pattern of "cannot tell"."""
    hatch = fill_state("cannot_tell")
    rows = [LegendRow(c.colour if c.colour.startswith("#") else hatch, c.words) for c in key.classes]
    return LegendPart(key.title, key.unit, rows, [*filter(None, (*key.notes, *notes))])


def read_source(current: CurrentRelease, layer: str) -> str:
    """Return the sentence on the source of a layer; empty if the release does not have the layer."""
    levels = current_release.list_levels(current).get(layer, ())
    if not levels:
        return ""
    legend = current_release.read_layer(current, layer, "region" if "region" in levels else levels[0], "", ()).legend
    return _write_sentence(translate(legend.source))


def _write_sentence(text: str) -> str:
    return f"{capitalise(text).rstrip('.')}."


def format_cell(number: float) -> str:
    """Return a number as text for an attribute of a shape, with at most six decimals."""
    return f"{number:.{_DIGITS}f}".rstrip("0").rstrip(".")


def _read_view(current: CurrentRelease, parameters: Mapping[str, str]) -> MapView:
    """Return the view that the page opens for the parameters of an address."""
    view = settle_view(parse_address(parameters), current, load_areas(current.release).table)
    layer, option = SHARED_OPTION
    if layer in view.layers:
        asked = parameters.get("pathway", "")
        view = view.choosing(layer, option, asked if asked in _PATHWAYS else _PATHWAYS[0])
    return view if parameters.get("period") else move_to_numbers(view, current)


def _fill_areas(areas: Areas, level: str, mark: Mark, names: pd.Series, *, numbered: bool) -> dict[str, AreaShape]:
    """Return how the areas are drawn, by code: filled by class or state, but under circles or hatches only by state."""
    is_fill, shapes = mark.data.style.kind == "fill", {}
    for code, place, state, cell, words in _list_cells(areas, level, mark, names):
        fill = fill_state(state) if state in STATE_CODES else mark.data.style.colours[place] if is_fill else KNOWN
        if not is_fill:
            shapes[code] = AreaShape(fill)
        elif numbered:
            shapes[code] = AreaShape(fill, cell, words)
        else:
            label = mark.words[state] if state in STATE_CODES else mark.labels[place]
            shapes[code] = AreaShape(fill, {"area": code}, f"{names[code]}: {label}")
    return shapes


def _list_cells(
    areas: Areas, level: str, mark: Mark, names: pd.Series
) -> Iterator[tuple[str, int, str, dict[str, str], str]]:
    """Yield each area as the page shows it: code, index of its class, state, data by attribute name, and words.

    The index is 0 if the area has no class.
    """
    codes, texts = list(outline_areas(areas, level)), mark.data.texts()
    rows, classes = list_states(mark.data, codes), mark.data.classes().reindex(codes).fillna(0).clip(lower=0)
    for code, row in zip(codes, rows.to_dict("records"), strict=True):
        state = str(row["state"])
        cell = {"area": code, "state": state}
        words = mark.words.get(state, "")
        if state not in STATE_CODES:
            numbers = {name: float(row[name]) for name in _NUMBERS if name in row and not pd.isna(row[name])}
            cell |= {name: format_cell(number) for name, number in numbers.items()}
            words = f"{translate(texts.get(code, ''))} {_word_margin(row, state)}".rstrip()
        yield code, int(classes[code]), state, cell, f"{names[code]}: {words}"


def _word_margin(row: Mapping[Hashable, Any], state: str) -> str:
    """Return the margin in the words of the panel and the files; empty without a number or without a margin."""
    value, margin, noisy, noisy_margin = (float(row.get(name, math.nan)) for name in _MARGINS)
    return translate(format_margin(value, margin, state, noisy - noisy_margin)) if value == value and margin else ""


def _draw_over(areas: Areas, level: str, mark: Mark, names: pd.Series) -> list[str]:
    """Return the SVG elements of a layer of circles or hatches that lies on the areas."""
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
    """Return the SVG patterns of a layer of hatches, by name; empty for other layers. Closer lines: a higher value."""
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


def make_part(mark: Mark, *, over_fill: bool) -> LegendPart:
    """Return the legend of a layer; over_fill : whether any layer of the sheet fills the areas."""
    words = mark.data.legend
    unit = ", ".join(part for part in (mark.unit, translate(words.period)) if part)
    notes = [_write_sentence(text) for text in map(translate, (words.margin, words.source)) if text]
    present = set(mark.data.list_marks()) & set(STATE_CODES)
    hidden = over_fill and mark.data.style.kind != "fill"  # so the swatch of a state is white
    states = [LegendRow(NO_DATA if hidden else fill_state(s), mark.words[s]) for s in STATE_CODES if s in present]
    return LegendPart(mark.title, unit, [*_list_classes(mark), *states], notes)


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
