"""A sheet that a reader can download: map, legend, source, period, tier and release of a view, as SVG, PNG or PDF.

The sheet is one SVG document whose words are text; the other formats are made from it. Each shape has the data that it
shows as attributes (data-area, data-value and others); the search for leaks reads them
(data/disclosure/attacks/surface).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from dashboard.briefing import typeset
from dashboard.briefing.map import AreaShape, Flow, draw_map
from dashboard.map.plane import HEIGHT, WIDTH
from dashboard.site.text import _, describe_number_format, find_language
from data.release import Release
from geo.areas import Areas
from geo.layers.output import terms

if TYPE_CHECKING:
    import altair as alt

FORMATS = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
_WIDE, _LEFT, _EDGE = 1440.0, WIDTH + 30, 24.0
_INK, _MUTED, _WARNING, _RULE = "#1D2433", "#5B6575", "#9A3412", "#DFE3E8"
_LETTER = 0.48  # width of a letter against its height
_NAMES = 17.0
# The pattern of a state, in a square of ten units; as in the legend of the page (dashboard/static/theme.css).
_PATTERNS = {
    "few": '<g fill="#7C8593"><circle cx="2.5" cy="2.5" r="1.5"/><circle cx="7.5" cy="7.5" r="1.5"/></g>',
    "almost_none": '<circle cx="5" cy="5" r="2" fill="none" stroke="#7C8593" stroke-width="1.2"/>',
    "not_searched": '<path d="M-2 12L12 -2M-7 7L7 -7M3 17L17 3" stroke="#97A0AD" stroke-width="1.8"/>',
    "cannot_tell": '<path d="M1 3H5M3 1V5M6 8H10M8 6V10" stroke="#97A0AD" stroke-width="1.3"/>',
    "structural_zero": '<path d="M0 5H10" stroke="#B4BBC5" stroke-width="1.4"/>',
    "withheld": '<path d="M-1 11L11 -1M-1 -1L11 11" stroke="#B4BBC5" stroke-width="1.3"/>',
    "no_figure": '<path d="M5 0V10" stroke="#C3C8D0" stroke-width="1.4"/>',
}
NO_DATA = "#FFFFFF"


@dataclass(frozen=True)
class LegendRow:
    """A row of a legend: a swatch and its words. Lengths are in SVG units.

    fill : a colour or pattern; if `radius` is above 0, the SVG attributes of a circle with this radius. line : if above
    0, the swatch is a line of this width. sign : a letter that replaces the swatch; empty for none.
    """

    fill: str
    words: str
    radius: float = 0.0
    line: float = 0.0
    sign: str = ""


@dataclass(frozen=True)
class LegendPart:
    """The legend of one layer: title, unit and period, rows, and notes such as margin and source."""

    title: str
    unit: str
    rows: Sequence[LegendRow]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Drawing:
    """A map or a chart on a sheet: an SVG element, and its width and height in units of the sheet."""

    svg: str
    wide: float = WIDTH
    high: float = HEIGHT


@dataclass(frozen=True)
class Sheet:
    """What a picture shows: drawings one below another, and beside them the sentences and the legend.

    invented : whether any number on the sheet is invented. heading : if empty, the title of the first layer is used and
    the sentences are not shown. sentences : the first sentences of the page. patterns : SVG patterns by name, in
    addition to those of the states.
    """

    drawings: Sequence[Drawing]
    legend: Sequence[LegendPart]
    invented: bool
    heading: str = ""
    sentences: Sequence[str] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The heading of the sheet, or the title of its first layer."""
        return self.heading or self.legend[0].title


def draw_areas(
    areas: Areas,
    level: str,
    shapes: Mapping[str, AreaShape],
    names: Mapping[str, str],
    flows: Sequence[Flow] = (),
    over: Sequence[str] = (),
) -> Drawing:
    """Draw the areas of a level with names and arrows of flows; arguments as for `draw_map`."""
    drawn = draw_map(areas, shapes, flows, names, _NAMES, level=level, over=over)
    return Drawing(drawn.replace("<svg ", f'<svg width="{WIDTH:.0f}" height="{HEIGHT:.0f}" ', 1))


def draw_chart(chart: alt.TopLevelMixin, cells: Sequence[Mapping[str, str]] = ()) -> Drawing:
    """Draw a chart of a page, at most as wide as a map. cells : the data of the chart, for the search for leaks."""
    described = chart.to_dict(validate=False)
    described["config"] = {**described.get("config", {}), "locale": describe_number_format()}
    match = _SIZE.search(picture := _render_chart(json.dumps(described, sort_keys=True)))
    assert match is not None
    wide, high = (float(size) for size in match.groups())
    scale = min(_CHART_SCALE, WIDTH / wide)
    size = f'width="{scale * wide:.0f}" height="{scale * high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}"'
    svg = f"{picture[: match.start()]}{size}{picture[match.end() :]}".replace("</svg>", f"{draw_cells(cells)}</svg>")
    return Drawing(svg, scale * wide, scale * high)


def draw_cells(cells: Sequence[Mapping[str, str]]) -> str:
    """Return data cells as invisible SVG elements, so that the search for leaks can read the data of a chart."""
    return "".join(f"<g{AreaShape('', cell).describe('g')}" for cell in cells)


@lru_cache(maxsize=64)
def _render_chart(specification: str) -> str:
    import vl_convert

    _register_fonts()
    # The texts that Vega adds for screen readers repeat the numbers in other forms; the data cells have them already.
    config = {"aria": False, "font": "Source Sans 3", "background": "#FFFFFF", "padding": 14}
    svg: str = vl_convert.vegalite_to_svg(specification, config=config, allowed_base_urls=[])
    return _SPOKEN.sub("", svg)


@cache
def _register_fonts() -> None:
    import vl_convert

    vl_convert.register_font_directory(str(typeset.FONTS))


_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)" viewBox="[^"]*"')
_SPOKEN = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_CHART_SCALE = 1.5


def fill_state(state: str) -> str:
    """Return the SVG fill of an area with this state instead of a number: a pattern, or white for other states."""
    return f"url(#state-{state})" if state in _PATTERNS else NO_DATA


def draw_sheet(sheet: Sheet, release: Release) -> str:
    """Draw the sheet and return it as an SVG document."""
    column = _Column()
    if sheet.heading:
        column.add_heading(sheet.heading, sheet.sentences)
    for part in sheet.legend:
        column.add_part(part)
    column.add_terms(release, invented=sheet.invented)
    drawn, below = [], 0.0
    for drawing in sheet.drawings:
        drawn.append(f'<g transform="translate(0 {below:.0f})">{drawing.svg}</g>')
        below += drawing.high + _EDGE
    high = max(below - _EDGE, column.y + _EDGE)
    about = f"role='img' aria-label={quoteattr(sheet.title)} lang={quoteattr(find_language())}"
    states = (
        f'<pattern id="state-{state}" width="10" height="10" patternUnits="userSpaceOnUse">'
        f'<rect width="10" height="10" fill="#FFFFFF"/>{content}</pattern>'
        for state, content in _PATTERNS.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:.0f} {high:.0f}" {about} '
        'font-family="Source Sans 3, Source Sans Pro, Noto Sans, sans-serif">'
        f"<defs>{''.join([*states, *sheet.patterns.values()])}</defs>"
        f'<rect width="{_WIDE:.0f}" height="{high:.0f}" fill="#FFFFFF"/>{"".join([*drawn, *column.parts])}</svg>'
    )


class _Column:
    """The column beside the map: text and swatches one below another, from the top."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = _EDGE

    def add_heading(self, heading: str, sentences: Sequence[str]) -> None:
        self._write(heading, 26, _INK, bold=True)
        for sentence in sentences:
            self._write(sentence, 18, _INK)

    def add_part(self, part: LegendPart) -> None:
        self._write(part.title, 21 if self.parts else 26, _INK, bold=True, above=14 if self.parts else 0)
        self._write(part.unit, 18, _MUTED)
        self.y += 8
        for row in part.rows:
            self._add_row(row)
        self.y += 4
        for note in part.notes:
            self._write(note, 15, _MUTED)

    def add_terms(self, release: Release, *, invented: bool) -> None:
        """Add the terms that every file states: invented data, tier, licence, boundaries, citation."""
        self.y += 16
        self.parts.append(f'<path d="M{_LEFT} {self.y:.0f}H{_WIDE - _EDGE}" stroke="{_RULE}"/>')
        self.y += 8
        for caution in terms.list_cautions(release, invented=invented):
            self._write(_(caution), 17, _WARNING, bold=True)
        for sentence in (
            _(terms.TIERS[release.tier]),
            _("Licence: {licence}.", licence=_(terms.find_licence(release))),
            f"{_(terms.describe_boundaries(release))}.",
            terms.format_citation(release),
        ):
            self._write(sentence, 15, _MUTED)

    def _add_row(self, row: LegendRow) -> None:
        if row.radius:
            self.y += 2 * row.radius + 5
            swatch = f'<circle cx="{_LEFT + 40}" cy="{self.y - row.radius:.1f}" r="{row.radius:.1f}" {row.fill}/>'
            middle, shift = self.y - row.radius + 5, 90
        else:
            # The search for leaks reads the words of a class from its swatch: shapes of that colour may use them.
            kind = f'fill="{row.fill}" stroke="#9AA3AF" data-words={quoteattr(row.words)}'
            swatch = f'<rect x="{_LEFT}" y="{self.y + 3:.0f}" width="34" height="20" {kind}/>'
            if row.sign:
                swatch = write_line(row.sign, _LEFT + 8, self.y + 19, 17, row.fill)
            elif row.line:
                swatch = f'<path d="M{_LEFT} {self.y + 13:.0f}h34" stroke="{row.fill}" stroke-width="{row.line:.1f}"/>'
            middle, shift = self.y + 19, 46
            self.y += 28
        self.parts.append(swatch)
        lines = _wrap(row.words, 17, _WIDE - _EDGE - _LEFT - shift)
        for n, line in enumerate(lines):
            self.parts.append(write_line(line, _LEFT + shift, middle + 20 * n, 17, _INK))
        self.y += 20 * (len(lines) - 1)

    def _write(self, text: str, size: float, colour: str, *, bold: bool = False, above: float = 0.0) -> None:
        self.y += above
        for line in _wrap(text, size, _WIDE - _EDGE - _LEFT):
            self.y += 1.28 * size
            self.parts.append(write_line(line, _LEFT, self.y, size, colour, bold=bold))
        self.y += 4


def _wrap(text: str, size: float, width: float) -> list[str]:
    """Return a text in lines of at most this width in SVG units; a single word may be wider."""
    most, lines = int(width / (_LETTER * size)), [""]
    for word in text.split(" "):  # words that must stay together have a no-break space between them
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if len(longer) <= most or not lines[-1] else [*lines, word]
    return [line for line in lines if line]


def write_line(text: str, x: float, y: float, size: float, colour: str, *, bold: bool = False) -> str:
    """Return a line of text as SVG; x, y : start of its baseline. x, y and size are in SVG units."""
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.0f}" y="{y:.1f}" font-size="{size:.0f}" fill="{colour}"{weight}>{escape(text)}</text>'


def render_sheet(sheet: Sheet, release: Release, kind: str) -> bytes:
    """Return the sheet as a file; the same bytes for the same sheet, release and language.

    kind : a key of `FORMATS`.
    """
    svg = draw_sheet(sheet, release)
    if kind == "svg":
        return svg.encode()
    created = dt.datetime.fromisoformat(str(release.manifest["created"]))
    return _typeset(svg, kind, sheet.title, find_language(), describe_sheet(sheet, release), created)


# The arguments hold the whole content of the file. So a change while the map is open (breaks, posts) is never missed.
@lru_cache(maxsize=16)
def _typeset(svg: str, kind: str, title: str, language: str, alt: str, created: dt.datetime) -> bytes:
    document = {"svg": svg, "title": title, "language": language, "alt": alt}
    if kind == "png":
        return typeset.render_pngs(_TEMPLATE, document)[0]
    return typeset.render_pdf(_TEMPLATE, document, created)


_TEMPLATE = "sheet.typ"


def describe_sheet(sheet: Sheet, release: Release) -> str:
    """Return the titles and units of the legend and the release's citation, for people who cannot see the sheet."""
    legend = "; ".join(f"{part.title}, {part.unit}" for part in sheet.legend)
    return f"{legend}. {terms.format_citation(release)}"


def name_file(sheet: Sheet, release: Release, page: str, kind: str) -> str:
    """Return the name of the file of a picture, from the release, the page and the kind of file."""
    return f"{terms.name_files(release, invented=sheet.invented)}-{page}.{kind}"
