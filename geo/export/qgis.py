"""Styles for QGIS (QML, readable from version 3.16 on): the map's colours, circles and state patterns.

A layer file (QLR) or a project (QGZ) opens the layers of a server in QGIS, each with its style. Styles use rules and no
graduated renderer, because a state is not a class: each state has its own pattern.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from io import BytesIO
from itertools import pairwise
from typing import NamedTuple

from pyproj import CRS

from data.tables.states import ZEROS
from geo.layers.core import LayerData, Style
from geo.layers.core.words import describe_state

_BORDER, _INK = "120,128,140,255", "91,101,117,255"
_LARGEST_MM = 12.0
# A cross is drawn by its outline alone.
_CROSS = {"outline_style": "solid", "outline_color": _INK, "outline_width": "0.2", "size": "1.5"}
# A published zero may have a number, so that parts add up to totals.
_ADJUSTED = f'"state" IN {ZEROS} AND "value" > 0'
# The names of areas, with a white edge so that they can be read on every colour.
_LABELS = (
    '<labeling type="simple"><settings><text-style fieldName="name" fontSize="7.5" fontSizeUnit="Point" '
    'textColor="29,36,51,255"><text-buffer bufferDraw="1" bufferSize="0.7" bufferSizeUnits="MM" '
    'bufferColor="255,255,255,255"/></text-style><placement placement="1"/></settings></labeling>'
)
# From the first day of a period to the last hour of its last day, so that two periods never touch.
_TIMES = (
    '<temporal enabled="1" mode="4" limitMode="1" startExpression="to_datetime(&quot;first_day&quot;)" '
    "endExpression=\"to_datetime(&quot;last_day&quot;) + to_interval('23 hours')\"/>"
)
_ORDER = ("few", "almost_none", "structural_zero", "withheld", "not_searched", "cannot_tell", "no_figure", "no_data")


# The identifier (seven letters, as QGIS requires) under which a person stores their token in QGIS.
AUTHENTICATION = "tactmap"


@dataclass(frozen=True)
class Source:
    """A server of OGC API Features: its address, and the authentication that QGIS sends; empty for none."""

    address: str
    authentication: str = ""

    def format_layer(self, name: str) -> str:
        """Return the data source of a layer, as QGIS writes it in a project."""
        sent = f" authcfg='{self.authentication}'" if self.authentication else ""
        return f"restrictToRequestBBOX='1' srsname='OGC:CRS84' typename='{name}' url='{self.address}'{sent}"


@dataclass(frozen=True)
class ServedLayer:
    """A layer that a server offers as features: its identifier there, its title, and the data for its style.

    data : None if only the outlines of areas are drawn. condition : an expression that selects the features to show,
    because a server sends those of all periods and choices. least : see `format_style`. is_timed : the features have
    several periods, which QGIS shows one after the other (its temporal controller). about : the meaning of the columns,
    which QGIS shows beside the name of the layer.
    """

    id: str
    title: str
    data: LayerData | None
    condition: str
    least: int
    is_timed: bool = False
    about: str = ""

    @property
    def key(self) -> str:
        """The identifier of the layer in a project."""
        return f"tact_{self.id}{'_outline' if self.data is None else ''}{'_timed' if self.is_timed else ''}"


def format_layer_file(title: str, server: Source, layers: Sequence[ServedLayer]) -> str:
    """Return a QLR file that reads layers from a server; outlines and the first other layer are switched on."""
    return (
        f"<!DOCTYPE qgis-layer-definition>\n<qlr>\n{_format_tree(title, server, layers)}"
        f"<maplayers>\n{_format_layers(server, layers)}</maplayers>\n</qlr>\n"
    )


def pack_project(
    title: str, server: Source, layers: Sequence[ServedLayer], bounds: tuple[float, float, float, float]
) -> bytes:
    """Return a project (QGZ) with the layers of `format_layer_file`.

    bounds : west, south, east and north of the first view, in metres in EPSG:3035, the CRS of the project.
    """
    names = ("xmin", "ymin", "xmax", "ymax")
    extent = "".join(f"<{name}>{value:.0f}</{name}>" for name, value in zip(names, bounds, strict=True))
    system = _format_system("EPSG:3035")
    project = (
        f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="3.28.0" projectname="{escape(title)}">\n<title>{escape(title)}</title>\n'
        f"<projectCrs>{system}</projectCrs>\n<properties><SpatialRefSys>"
        '<ProjectionsEnabled type="int">1</ProjectionsEnabled></SpatialRefSys></properties>\n'
        f"<layer-tree-group>\n{_format_tree(title, server, layers)}</layer-tree-group>\n"
        f'<mapcanvas name="theMapCanvas"><units>meters</units><extent>{extent}</extent>'
        f"<destinationsrs>{system}</destinationsrs></mapcanvas>\n"
        f"<projectlayers>\n{_format_layers(server, layers)}</projectlayers>\n</qgis>\n"
    )
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        # The same layers give the same bytes.
        archive.writestr(zipfile.ZipInfo("tact.qgs", (1980, 1, 1, 0, 0, 0)), project)
    return whole.getvalue()


def _format_tree(title: str, server: Source, layers: Sequence[ServedLayer]) -> str:
    """Return the tree of layers, all in one group. Outlines and the first other layer are switched on."""
    first = next((layer.key for layer in layers if layer.data is not None), "")
    tree = [
        f'<layer-tree-layer id="{layer.key}" name="{escape(layer.title)}" '
        f'source="{escape(server.format_layer(layer.id))}" providerKey="OAPIF" '
        f'checked="Qt::{"Checked" if layer.data is None or layer.key == first else "Unchecked"}" expanded="0"/>'
        for layer in layers
    ]
    group = f'<layer-tree-group name="{escape(title)}" checked="Qt::Checked" expanded="1">'
    return f"{group}\n{_lines(tree)}</layer-tree-group>\n"


@cache
def _format_system(name: str) -> str:
    """Return the full definition of a coordinate reference system: if it has only a name, QGIS draws nothing."""
    return f"<spatialrefsys><wkt>{escape(CRS(name).to_wkt())}</wkt><authid>{name}</authid></spatialrefsys>"


def _format_layers(server: Source, layers: Sequence[ServedLayer]) -> str:
    """Return an element for each layer, with its data source, style, labels and time settings."""
    return _lines(
        f'<maplayer type="vector" geometry="Polygon" styleCategories="AllStyleCategories" '
        f'labelsEnabled="{int(layer.data is not None)}"><id>{layer.key}</id>'
        f"<datasource>{escape(server.format_layer(layer.id))}</datasource><layername>{escape(layer.title)}</layername>"
        f"<srs>{_format_system('OGC:CRS84')}</srs>"
        f'<provider encoding="UTF-8">OAPIF</provider>{_format_renderer(layer.data, layer.least, layer.condition)}'
        f"{_LABELS}{_TIMES if layer.is_timed else ''}"
        f"<resourceMetadata><title>{escape(layer.title)}</title><abstract>{escape(layer.about)}</abstract>"
        "</resourceMetadata></maplayer>"
        for layer in layers
    )


def format_style(data: LayerData, least: int) -> str:
    """Return the QML style for features with the columns value, low, high and state.

    least : the smallest number that the layer's level shows (`Release.find_threshold`), for the words of the legend.
    """
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.28.0" styleCategories="Symbology">\n'
        f"{_format_renderer(data, least)}</qgis>\n"
    )


def _format_renderer(data: LayerData | None, least: int, condition: str = "") -> str:
    """Return the rules and symbols of a layer; with a condition, only for the features that it selects."""
    rules, symbols = [], []
    for number, rule in enumerate(_list_rules(data, least)):
        rules.append(
            f'<rule key="{{{number:08d}-0000-4000-8000-000000000000}}" symbol="{number}" '
            f'label="{escape(rule.label)}" filter="{escape(rule.condition)}"/>'
        )
        symbols.append(_symbol(str(number), rule.kind, "".join(rule.layers).replace("@n", f"@{number}")))
    if condition:
        key = "{00000000-0000-4000-8000-888888888888}"
        rules = [f'<rule key="{key}" filter="{escape(condition)}">', *rules, "</rule>"]
    return (
        '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">\n'
        f'<rules key="{{00000000-0000-4000-8000-999999999999}}">\n{_lines(rules)}</rules>\n'
        f"<symbols>\n{_lines(symbols)}</symbols>\n</renderer-v2>\n"
    )


def _lines(parts: Iterable[str]) -> str:
    return "".join(f"{part}\n" for part in parts)


class Rule(NamedTuple):
    """A row of the legend: its words, an expression that selects the areas with its symbol, and the symbol's layers."""

    label: str
    condition: str
    layers: list[str]
    kind: str = "fill"


def _list_rules(data: LayerData | None, least: int) -> list[Rule]:
    """Return a rule for each class and state of a layer; for an outline, a single rule for all areas."""
    if data is None:
        return [Rule("", "", [_plain("255,255,255,0", _INK, "0.5")])]
    states = set(data.frame["state"])
    return [*_value_rules(data.style, str(data.legend.unit)), *_state_rules([s for s in _ORDER if s in states], least)]


def _value_rules(style: Style, unit: str) -> list[Rule]:
    has_value = "\"state\" IN ('number', 'class')"
    if style.kind == "circle":
        circles = Rule(unit, f"{has_value} OR {_ADJUSTED}", [_plain("255,255,255,0"), _circle(style)])
        # Rules that select no area show the circles in the legend: QGIS has a legend of sizes only for points.
        return [
            circles,
            *[
                Rule(label, "FALSE", [_marker(style, f"{2 * style.radius(mark, _LARGEST_MM / 2):.2f}")], "marker")
                for mark, label in zip(style.breaks, style.labels, strict=True)
            ],
        ]
    return [
        Rule(label, f"{has_value} AND {condition}", _class_layers(style, place))
        for place, (label, condition) in enumerate(zip(style.labels, _conditions(style), strict=True))
    ]


def _conditions(style: Style) -> list[str]:
    if style.bounds:
        return [f"{_equals('low', low)} AND {_equals('high', high)}" for low, high in style.bounds]
    value = 'coalesce("value", "low")'
    if not style.breaks:
        return [f"{value} IS NOT NULL"]
    edges = [_write(edge) for edge in style.breaks]
    inner = [f"{value} >= {a} AND {value} < {b}" for a, b in pairwise(edges)]
    return [f"{value} < {edges[0]}", *inner, f"{value} >= {edges[-1]}"]


def _equals(column: str, edge: float) -> str:
    return f'"{column}" IS NULL' if math.isnan(edge) else f'"{column}" = {_write(edge)}'


def _write(edge: float) -> str:
    """Return a number as text, with all its digits."""
    return repr(edge).removesuffix(".0")


def _class_layers(style: Style, place: int) -> list[str]:
    colour = _rgba(style.colours[place])
    if style.kind == "hatch":
        distance = f"{3.2 - 0.45 * min(place, 5):.2f}"
        return [_plain("255,255,255,0", colour, "0.4"), _hatch(colour, "135", distance)]
    return [_plain(colour)]


def _state_rules(states: list[str], least: int) -> list[Rule]:
    plain: dict[str, str] = dict.fromkeys(ZEROS, ' AND coalesce("value", 0) = 0')
    words = {state: str(describe_state(state, least, least)) for state in states}
    return [Rule(words[s], f"\"state\" = '{s}'{plain.get(s, '')}", _state_layers(s)) for s in states]


def _state_layers(state: str) -> list[str]:
    white = _plain("255,255,255,255")
    patterns = {
        "few": _dots("2"),
        "almost_none": _dots("3.5"),
        "structural_zero": _hatch(_INK, "0", "3"),
        "withheld": _hatch(_INK, "90", "3"),
        "not_searched": _hatch(_INK, "45", "2"),
        "cannot_tell": _dots("4", "cross"),
    }
    return [white, patterns[state]] if state in patterns else [white]


def _rgba(colour: str) -> str:
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _symbol(name: str, kind: str, layers: str) -> str:
    return f'<symbol name="{name}" type="{kind}" alpha="1" clip_to_extent="1" force_rhr="0">{layers}</symbol>'


def _layer(kind: str, values: dict[str, str], inside: str = "") -> str:
    """Return a symbol layer in both formats: with options (QGIS 3.20 and later) and with properties (earlier)."""
    options = "".join(f'<Option name="{k}" value="{escape(v)}" type="QString"/>' for k, v in values.items())
    props = "".join(f'<prop k="{k}" v="{escape(v)}"/>' for k, v in values.items())
    return (
        f'<layer class="{kind}" enabled="1" locked="0" pass="0"><Option type="Map">{options}</Option>'
        f"{props}{inside}</layer>"
    )


def _plain(colour: str, border: str = _BORDER, width: str = "0.2") -> str:
    values = {
        "color": colour,
        "style": "solid",
        "outline_color": border,
        "outline_style": "solid",
        "outline_width": width,
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }
    return _layer("SimpleFill", values)


def _hatch(colour: str, angle: str, distance: str) -> str:
    line = _layer(
        "SimpleLine", {"line_color": colour, "line_width": "0.3", "line_width_unit": "MM", "line_style": "solid"}
    )
    values = {
        "angle": angle,
        "distance": distance,
        "distance_unit": "MM",
        "color": colour,
        "line_width": "0.3",
        "line_width_unit": "MM",
    }
    return _layer("LinePatternFill", values, _symbol("@n@1", "line", line))


def _dots(distance: str, shape: str = "circle") -> str:
    line = {"outline_style": "no", "size": "0.7"} if shape == "circle" else _CROSS
    dot = _layer("SimpleMarker", {"name": shape, "color": _INK, **line, "size_unit": "MM"})
    values = {
        "distance_x": distance,
        "distance_y": distance,
        "distance_x_unit": "MM",
        "distance_y_unit": "MM",
        "displacement_x": "0",
        "displacement_y": "0",
    }
    return _layer("PointPatternFill", values, _symbol("@n@1", "marker", dot))


def _circle(style: Style) -> str:
    """Return the symbol of a circle inside the area; the circle's area is proportional to the value."""
    largest = style.largest or 1.0
    size = escape(f'{_LARGEST_MM:g} * sqrt("value" / {largest:.15g})')
    sized = (
        '<data_defined_properties><Option type="Map"><Option name="name" value="" type="QString"/>'
        '<Option name="properties" type="Map"><Option name="size" type="Map">'
        '<Option name="active" value="true" type="bool"/>'
        f'<Option name="expression" value="{size}" type="QString"/>'
        '<Option name="type" value="3" type="int"/></Option></Option>'
        '<Option name="type" value="collection" type="QString"/></Option></data_defined_properties>'
    )
    values = {"point_on_surface": "1", "point_on_all_parts": "0"}
    return _layer("CentroidFill", values, _symbol("@n@1", "marker", _marker(style, "2", sized)))


def _marker(style: Style, size: str, sized: str = "") -> str:
    """Return a circle with a fixed size in mm, or with the size that its properties compute."""
    values = {
        "name": "circle",
        "color": _rgba(style.colours[0]).rsplit(",", 1)[0] + ",209",
        "outline_color": "255,255,255,255",
        "outline_style": "solid",
        "outline_width": "0.3",
        "size": size,
        "size_unit": "MM",
        "scale_method": "diameter",
    }
    return _layer("SimpleMarker", values, sized)
