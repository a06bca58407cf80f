"""The atlas: layers of a release in one HTML file that opens without a server and can be sent by mail.

Folium makes the page. The file contains all that the live map loads: script, style, fonts and shapes. The content
policy of the page forbids any request and any other script. dashboard/static/tactmap.js draws the map, as it draws the
live map; dashboard/static/atlas.js draws the controls around it. Text from data is stored as JSON and shown as text,
never as markup. The numbers are those of `encode_cells`; the search for leaks reads them from the file
(data/disclosure/attacks/surface).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import folium
from branca.element import Figure
from folium.template import Template
from markupsafe import Markup

from dashboard.map.marks import make_mark
from dashboard.map.shapes import LAND, describe_level, describe_words
from dashboard.map.values import STATE_CODES, Mark, encode_cells
from dashboard.site.assets import ASSETS
from dashboard.site.current_release import load_areas
from dashboard.site.text import _, capitalise, find_language, html, join_markup, translate
from data.message import mark
from data.release import Release
from data.tables.periods import GRAINS, Calendar, Period
from data.tables.states import MEANINGS
from geo import export
from geo.areas import LEVELS, Areas
from geo.layers import choose_caution, find_map_conflict
from geo.layers.core import Layer, View
from geo.layers.core.words import LEVELS as LEVEL_WORDS
from geo.layers.core.words import describe_state
from geo.layers.output import columns, terms

_SCRIPTS = ("leaflet/leaflet.js", "tactmap.js", "atlas.js")
_SHAPES = "atlas"  # replaces the checksum in the addresses of shapes
_GRAINS = {"month": mark("Month"), "quarter": mark("Quarter"), "year": mark("Year"), "whole": mark("All years")}
_TIERS = {"partner": mark("Partner tier: protected, not anonymous"), "public": mark("Public tier")}
_ABOUT = {
    "title": mark("Title"),
    "release": mark("Release"),
    "tier": mark("Tier"),
    "tier_means": mark("Who may read it"),
    "data": mark("Data"),
    "published_figures": mark("Published figures"),
    "created": mark("Made on"),
    "first_day": mark("First day"),
    "last_day": mark("Last day"),
    "method": mark("Protection"),
    "boundaries": mark("Boundaries"),
    "licence": mark("Licence"),
    "citation": mark("Cite it as"),
}

_POLICY = "style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"

Progress = Callable[[int, int | None], None]


def write_atlases(release: Release, folder: Path, progress: Progress | None = None) -> list[Path]:
    """Write the atlases of a release into a folder and return their paths.

    The layers of communities have their own atlas, as in every export. `progress` is called with the number of views
    that were read so far, and the number of all. Raises InputError if the release has no layer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts, files, done = export.split_layers(release), [], 0
    count = sum(_count_views(release, layer) for layers in parts for layer in layers)

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, count)

    for layers in parts:
        path = folder / name_atlas(release, layers)
        path.write_text(make_atlas(release, layers, tick), encoding="utf-8", newline="\n")
        files.append(path)
    return files


def name_atlas(release: Release, layers: tuple[Layer, ...]) -> str:
    """Return the name of the file of an atlas with these layers, in the language that is used now."""
    spoken = f"-{find_language()}" if find_language() != "en" else ""
    return f"{export.name_together(release, layers)}-atlas{spoken}.html"


class _Map(folium.Map):
    """A Folium map that loads no files; its script starts the atlas."""

    default_js = []  # noqa: RUF012
    default_css = []  # noqa: RUF012
    _template = Template(
        "{% macro html(this, kwargs) %}<div id={{ this.get_name()|tojson }} class=folium-map></div>{% endmacro %}"
        "{% macro script(this, kwargs) %}tactatlas.start({{ this.get_name()|tojson }});{% endmacro %}"
    )

    def __init__(self) -> None:
        super().__init__(location=(39.2, 22.0), tiles=None)
        self._id = "atlas"  # the same in each atlas, so that the same release gives the same bytes


class _Page(Figure):
    """The page around the map. Its data is filled in once and is never read as a template."""

    _template = Template(
        "<!DOCTYPE html>\n<html lang={{ this.language }}>\n<head>\n<meta charset=utf-8>\n"
        '<meta http-equiv=Content-Security-Policy content="{{ this.policy }}">\n'
        '<meta name=viewport content="width=device-width, initial-scale=1">\n'
        "<title>{{ this.title }}</title>\n<style>{{ this.style }}</style>\n</head>\n<body class=atlas>\n"
        "{{ this.bar }}\n<main>{{ this.html.render(**kwargs) }}</main>\n{{ this.about }}\n"
        "{% for name, text in this.data.items() %}"
        '<script type="application/json" id={{ name }}>{{ text }}</script>\n{% endfor %}'
        "{% for script in this.scripts %}<script>{{ script }}</script>\n{% endfor %}</body>\n</html>\n"
    )

    def __init__(self, title: Markup, bar: Markup, about: Markup, data: Mapping[str, object]) -> None:
        super().__init__(title=title)
        self.language = find_language()
        self.bar, self.about, self.style = bar, about, _read_style()
        self.data = {name: _write_json(value) for name, value in data.items()}

    def render(self, **kwargs: object) -> str:
        """Return the page as HTML. Its content policy allows only its own scripts and no request."""
        for child in self._children.values():
            child.render(**kwargs)
        self.scripts = [*_read_scripts(), str(self.script.render(**kwargs)).strip()]
        digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in self.scripts]
        hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
        self.policy = f"default-src 'none'; script-src {hashes}; {_POLICY}"
        return str(self._template.render(this=self, kwargs=kwargs))


def make_atlas(release: Release, layers: tuple[Layer, ...], tick: Callable[[], None] = lambda: None) -> str:
    """Return an atlas as an HTML page in the language that is used now.

    layers : those of one file, see `split_layers`. tick : called after each view that was read.
    """
    areas, language = load_areas(release), find_language()
    asked = f"?lang={language}" if language != "en" else ""
    shapes: dict[str, Any] = {
        f"geometry/{_SHAPES}/{level}.json{asked}": describe_level(areas, level) for level in LEVELS
    }
    shapes["geometry/land.json"] = json.loads(LAND.read_text(encoding="utf-8"))
    shapes[f"geometry/words/{language}.json"] = describe_words()
    data = {"atlas-shapes": shapes, "atlas-data": describe_atlas(release, areas, layers, tick)}
    title = _("Atlas of release {name}", name=release.name)
    page = _Page(html("{} · TACT Map", title), _render_bar(release, title), _render_about(release, layers), data)
    page.add_child(_Map())
    return page.render()


def describe_atlas(
    release: Release, areas: Areas, layers: tuple[Layer, ...], tick: Callable[[], None]
) -> dict[str, Any]:
    """Return the layers with all their views and words, as values that can be written as JSON.

    Each view has its period and the index in `styles` of the style that draws it; its numbers are in the order of
    `codes` of its level (see `encode_cells`). tick : called after each view that was read.
    """
    styles: dict[str, int] = {}  # the index of each style
    described = [_describe_layer(release, areas, layer, layers, styles, tick) for layer in layers]
    return {
        "shapes": _SHAPES,
        "language": find_language() if find_language() != "en" else "",
        "codes": {level: areas.map_geometry(level)["codes"] for level in LEVELS},
        "styles": [json.loads(style) for style in styles],
        "layers": described,
        "states": {code: state for state, code in STATE_CODES.items()},
        "levels": {level: _(LEVEL_WORDS[level]) for level in LEVELS},
        "grains": {grain: _(_GRAINS[grain]) for grain in GRAINS},
        "caution": _(choose_caution(layer.id for layer in layers)),
        "words": _list_words(),
    }


def _describe_layer(
    release: Release, areas: Areas, layer: Layer, others: tuple[Layer, ...], styles: dict[str, int],
    tick: Callable[[], None],
) -> dict[str, Any]:  # fmt: skip
    """Return a layer with its views for each level and each choice of an option; the other options have the default."""
    choices = [
        {
            "label": label,
            "group": group,
            "levels": {
                level: [_describe_view(release, areas, layer, view, styles, tick) for view in views]
                for level, views in levels.items()
            },
        }
        for label, group, levels in _list_choices_with_views(release, layer)
    ]
    return {
        "id": layer.id,
        "title": _(layer.title),
        "question": _(layer.question),
        "over": [o.id for o in others if o is not layer and not find_map_conflict(release.tier, [layer.id, o.id])],
        "choices": choices,
    }


def _list_choices_with_views(release: Release, layer: Layer) -> Iterator[tuple[str, str, dict[str, list[View]]]]:
    """Yield label, group and views by level of each choice that the release has."""
    for label, group, options in _list_choices(layer):
        levels = {
            level: views
            for level in layer.levels(release)
            if layer.offers(release, level, options) and (views := _list_views(release, layer, level, options))
        }
        if levels:
            yield label, group, levels


def _count_views(release: Release, layer: Layer) -> int:
    return sum(len(views) for *_, levels in _list_choices_with_views(release, layer) for views in levels.values())


def _list_choices(layer: Layer) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield label, group and options: first all defaults, then each other choice of each option."""
    defaults = ", ".join(_(option.choices[0].label) for option in layer.options) or _(layer.title)
    yield capitalise(defaults), "", {}
    for option in layer.options:
        for choice in option.choices:
            if choice.id != option.default:
                label = _(choice.label)
                yield capitalise(label), _(choice.group or option.label), {option.id: choice.id}


def _list_views(release: Release, layer: Layer, level: str, options: Mapping[str, str]) -> list[View]:
    """Return the views of a layer at a level: one for each period of each length, or one if it has no periods."""
    tact, finest = release.manifest["tact"], View(level, "", options)
    asked = [finest]
    if tact.get("first") and tact.get("last"):
        calendar = Calendar(int(tact.get("first_month", 6)))
        first, last = date.fromisoformat(tact["first"]), date.fromisoformat(tact["last"])
        near = [calendar.period(day, grain) for grain in GRAINS if grain != "whole" for day in (first, last)]
        asked += [View(level, period.id, options) for period in (*near, calendar.whole(first, last))]
    periods = {period for view in asked for period in layer.periods(release, view)}
    parsed = sorted(map(Period.parse, periods), key=lambda period: (GRAINS.index(period.grain), period.start))
    return [View(level, period.id, options) for period in parsed] or [finest]


def _describe_view(
    release: Release, areas: Areas, layer: Layer, view: View, styles: dict[str, int], tick: Callable[[], None]
) -> dict[str, Any]:
    shown = make_mark(layer.read(release, view), view.level, release)
    period = Period.parse(view.period) if view.period else None
    style = json.dumps(_describe_style(shown), sort_keys=True)
    described = {
        "period": view.period,
        "grain": period.grain if period else "",
        "when": translate(shown.data.legend.period),
        "style": styles.setdefault(style, len(styles)),
        **encode_cells(shown.data, areas.map_geometry(view.level)["codes"], bounds=True),
    }
    tick()
    return {name: value for name, value in described.items() if value != ""}


def _describe_style(shown: Mark) -> dict[str, Any]:
    style, legend = shown.data.style, shown.data.legend
    return {
        "kind": style.kind,
        "title": shown.title,
        "unit": shown.unit,
        "colours": style.colours,
        "labels": shown.labels,
        "marks": style.breaks if style.kind == "circle" else (),
        "largest": style.largest,
        "most": shown.most,
        "words": {STATE_CODES[state]: words for state, words in shown.words.items() if state in STATE_CODES},
        "source": translate(legend.source),
        "margin": translate(legend.margin),
        "note": translate(legend.note),
    }


def _list_words() -> dict[str, str]:
    """Return the words of the controls around the map."""
    return {
        "layer": _("Layer"),
        "choice": _("Show"),
        "level": _("Area level"),
        "over": _("Second layer"),
        "only": _("no second layer"),
        "grain": _("Period length"),
        "period": _("Period"),
        "earlier": _("Earlier period"),
        "later": _("Later period"),
        "latest": _("Latest figures"),
        "without": _("Areas without a symbol: {states}."),
        "legend": _("Legend"),
        "areas": _("Table of the areas"),
        "times": _("Table of the periods"),
        "area": _("Area"),
        "value": _("Value"),
        "choose": _("Choose an area on the map, in the table, or by its name."),
        "none": _("not in this level"),
        "back": _("All areas"),
    }


def _render_bar(release: Release, title: str) -> Markup:
    cautions = (html("<p class=invented role=note>{}</p>", _(text)) for text in terms.list_cautions(release))
    return html(
        "<header><div class=bar><h1>TACT Map</h1><span class=lands>{}</span><span class=tier>{}</span>"
        "<button type=button id=about-open>{}</button></div>{}</header>",
        title,
        _(_TIERS[release.tier]),
        _("About this file"),
        join_markup(cautions),
    )


def _render_about(release: Release, layers: tuple[Layer, ...]) -> Markup:
    """Return the terms that every exported file states, and the meaning of the states."""
    entries = terms.describe_file(release, layers)
    rows = [(_(words), translate(entries[key])) for key, words in _ABOUT.items() if key in entries]
    states = columns.list_states(release, layers)
    meanings = [(translate(describe_state(state, release.k)), _(MEANINGS[state])) for state in states]
    return html(
        "<dialog id=about aria-labelledby=about-title><h2 id=about-title tabindex=-1 autofocus>{}</h2>"
        "<dl>{}</dl><h2>{}</h2><dl>{}</dl>"
        "<form method=dialog><button>{}</button></form></dialog>"
        "<footer>{}</footer><noscript><p>{}</p></noscript>",
        _("About this file"),
        _render_pairs(rows),
        _("What the states mean"),
        _render_pairs(meanings),
        _("Close"),
        f"{translate(terms.TIERS[release.tier])} {terms.format_citation(release)} {_(terms.find_licence(release))}.",
        _("The map needs JavaScript. It runs in this file alone and sends nothing."),
    )


def _render_pairs(pairs: Iterable[tuple[str, str]]) -> Markup:
    return join_markup(html("<dt>{}</dt><dd>{}</dd>", name, text) for name, text in pairs)


def _write_json(value: object) -> str:
    """Return a value as JSON text without any character that could end the script element around it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@lru_cache(maxsize=1)
def _read_scripts() -> tuple[str, ...]:
    return tuple((ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS)


@lru_cache(maxsize=1)
def _read_style() -> str:
    """Return the style sheets of the map and of the atlas as one text that contains the fonts."""
    leaflet = (ASSETS / "leaflet/leaflet.css").read_text(encoding="utf-8")
    theme = (ASSETS / "theme.css").read_text(encoding="utf-8").replace("@import url(leaflet/leaflet.css);", "")
    text = "\n".join((leaflet, theme, (ASSETS / "atlas.css").read_text(encoding="utf-8")))
    text = re.sub(r"url\((images/|#)[^)]*\)", "none", text)  # pictures, and addresses that only old browsers use
    return re.sub(r"url\((fonts/[^)]*)\)", _inline_font, text)


def _inline_font(address: re.Match[str]) -> str:
    font = base64.b64encode((ASSETS / address[1]).read_bytes()).decode()
    return f"url(data:font/woff2;base64,{font})"
