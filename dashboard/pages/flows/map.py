"""Flows as arrows on the map, their legend, and the matrix of origins by destinations."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pandas as pd
from markupsafe import Markup

from dashboard import map as live_map
from dashboard.map import Arrow
from dashboard.pages.flows.summary import CLASSES, EVERY, FlowChoice, describe_rest, read_flows
from dashboard.site.current_release import CurrentRelease, load_areas, name_regions, read_area_names
from dashboard.site.text import _, cache_by_language, format_number, html, join_markup
from dashboard.widgets.cell import format_state

_WIDTHS = (1.2, 1.8, 4.0, 7.5)
# By class, inside a country and across the border: large flows are dark.
_COLOURS = {False: ("#9CC7C3", "#74B0AB", "#3A8883", "#0F6B66"), True: ("#B4BAC4", "#949CAA", "#525C6E", "#1D2433")}
_SIGNS = {"almost_none": "", "not_searched": "╱", "withheld": "╳", "structural_zero": "–", "no_data": "·"}
_TABLE_COLOURS = ("#E3EAF3", "#B9CAE0", "#7E9CC6", "#1B4B8F")
_LIGHT_TEXT = 3  # from this class on


def name_classes() -> list[str]:
    """Return the names of the classes of flows in children, the smallest first."""
    words = [_("{low} to {high}", low=low, high=high - 1) for low, high in pairwise(CLASSES)]
    return [*words, _("{low} or more", low=CLASSES[-1])]


def find_class(value: float) -> int:
    """Return the index in `CLASSES` of the class of a number of children; 0 for a number below all classes."""
    return max(0, bisect_right(CLASSES, value) - 1)


def describe_view(current: CurrentRelease, choice: FlowChoice) -> str:
    """Return the arrows for the map as a JavaScript literal, with the largest flows on top."""
    area = "" if choice.area == EVERY else choice.area
    return live_map.describe_map([], "region", choice.period, area, arrows=draw_arrows(current, choice))


def draw_arrows(current: CurrentRelease, choice: FlowChoice) -> list[Arrow]:
    """Return an arrow for each flow that is drawn, in the order of `list_drawn`."""
    centres, names = load_areas(current.release).centres("region"), read_area_names(current)
    return [
        Arrow(
            (float(centres["lat"][row["origin"]]), float(centres["lon"][row["origin"]])),
            (float(centres["lat"][row["area"]]), float(centres["lon"][row["area"]])),
            _WIDTHS[find_class(row["value"])],
            _(
                "{origin} to {area}: {n} ±{margin} children met",
                origin=names[row["origin"]],
                area=names[row["area"]],
                n=format_number(row["value"]),
                margin=format_number(row["margin"]),
            ),
            _COLOURS[bool(row["crosses"])][find_class(row["value"])],
        )
        for row in list_drawn(current, choice)
    ]


def list_drawn(current: CurrentRelease, choice: FlowChoice) -> list[dict[Any, Any]]:
    """Return the rows of the flows that are drawn as arrows; the largest is last, so that it lies on top.

    A flow is left out if one of its areas has no centre.
    """
    centres = load_areas(current.release).centres("region")
    rows = read_flows(current, choice).drawn.iloc[::-1].to_dict("records")
    return [row for row in rows if row["origin"] in centres.index and row["area"] in centres.index]


def render_legend(current: CurrentRelease, choice: FlowChoice) -> Markup:
    """Return the legend of the arrows: widths, colours, and the number of children whom no arrow shows."""
    drawn = read_flows(current, choice).drawn
    widths = [html('<li><i class=way style="--w:{}px"></i>{}</li>', *pair) for pair in list_widths(drawn)]
    colours = [html('<li><i class=swatch style="background:{}"></i>{}</li>', *pair) for pair in list_kinds(drawn)]
    return html(
        '<section class="ways flows"><h2>{}</h2><div><ul>{}</ul><ul>{}</ul></div><p class=origin>{} {}</p></section>',
        _("Children met"),
        join_markup(widths),
        join_markup(colours),
        describe_rest(current, choice),
        word_loop(drawn),
    )


def list_widths(drawn: pd.DataFrame) -> list[tuple[float, str]]:
    """Return pairs of the width in pixels and the name of each class of flows that is drawn."""
    return [(_WIDTHS[number], name_classes()[number]) for number in sorted({find_class(n) for n in drawn["value"]})]


def list_kinds(drawn: pd.DataFrame) -> list[tuple[str, str]]:
    """Return pairs (colour, name) for flows inside a country and across the border, if any such flow is drawn."""
    kinds = {False: _("in one country"), True: _("across the border")}
    return [(_COLOURS[side][-1], words) for side, words in kinds.items() if (drawn["crosses"] == side).any()]


def word_loop(drawn: pd.DataFrame) -> str:
    """Return a sentence on what a loop means; empty if none is drawn."""
    return _("Loop: origin and destination in the same area.") if (drawn["area"] == drawn["origin"]).any() else ""


def render_largest(flows: list[tuple[str, float, str]]) -> Markup:
    """Return a table of flows with bars; a flow is a tuple (name, number, number in words)."""
    most = max((value for _name, value, _words in flows), default=1.0)
    rows = join_markup(
        html(
            '<tr><th scope="row">{}</th><td><i style="width:{}%"></i><span>{}</span></td></tr>',
            name,
            f"{100 * value / most:.1f}",
            words,
        )
        for name, value, words in flows
    )
    return html('<table class="funnel"><caption>{}</caption><tbody>{}</tbody></table>', _("Largest flows"), rows)


@cache_by_language(maxsize=64)
def render_matrix(current: CurrentRelease, choice: FlowChoice) -> Markup:
    """Return the matrix of counties and regions of origin by destination, with the sums of the numbers shown.

    A cell without a number has a sign for its state. A key below the matrix explains the signs.
    """
    rows, table = read_flows(current, replace(choice, area=EVERY)).rows, load_areas(current.release).table
    origins = [code for code in name_regions(current) if code in set(rows["origin"])]
    targets = [code for code in name_regions(current) if code in set(rows["area"])]
    cells = {(row["origin"], row["area"]): row for row in rows.to_dict("records")}
    names = read_area_names(current)
    head = join_markup(
        html('<th scope="col" class="{}"><span>{}</span></th>', _pick(code, choice), names[code]) for code in targets
    )
    lines = [
        html(
            '<tr class="{}"><th scope="row" class="{}">{}</th>{}{}</tr>',
            _edge(table, origins, number),
            _pick(origin, choice),
            names[origin],
            join_markup(
                _render_cell(current, cells.get((origin, target)), _edge(table, targets, place))
                for place, target in enumerate(targets)
            ),
            _render_sum(rows.loc[rows["origin"] == origin, "value"]),
        )
        for number, origin in enumerate(origins)
    ]
    foot = join_markup(_render_sum(rows.loc[rows["area"] == target, "value"]) for target in targets)
    return html(
        '<div class="matrix flowmatrix" tabindex="0" role="region" aria-label="{}"><table><thead><tr><td>{}</td>{}'
        '<th scope="col"><span>{}</span></th></tr></thead><tbody>{}</tbody><tfoot><tr><th scope="row">{}</th>{}{}</tr>'
        "</tfoot></table></div>{}",
        _("Flows, origins in rows and destinations in columns"),
        _("from ↓ to →"),
        head,
        _("All shown"),
        join_markup(lines),
        _("All shown"),
        foot,
        _render_sum(rows["value"]),
        _render_key(current, rows),
    )


def _pick(code: str, choice: FlowChoice) -> str:
    return "picked" if code == choice.area else ""


def _edge(table: pd.DataFrame, codes: list[str], number: int) -> str:
    """Return the CSS class of a row or column: "first" if a country begins with it, except for the first country."""
    first = number > 0 and table["country"][codes[number]] != table["country"][codes[number - 1]]
    return "first" if first else ""


def _render_cell(current: CurrentRelease, row: Mapping[Any, Any] | None, edge: str) -> Markup:
    if row is None:
        return html('<td class="{} out"></td>', edge)
    if math.isnan(row["value"]):
        words, sign = format_state(current, row["state"]), _SIGNS.get(row["state"], "·")
        return html('<td class="{}" title="{}" aria-label="{}">{}</td>', edge, words, words, sign)
    number = find_class(row["value"])
    words = _("{n} ±{margin}", n=format_number(row["value"]), margin=format_number(row["margin"]))
    return html(
        '<td class="{} {}" style="background:{}" title="{}">{}</td>',
        edge,
        "light" if number >= _LIGHT_TEXT else "",
        _TABLE_COLOURS[number],
        words,
        format_number(row["value"]),
    )


def _render_sum(values: pd.Series) -> Markup:
    return html('<td class="sum">{}</td>', format_number(float(values.sum())) if values.sum() > 0 else "")


def _render_key(current: CurrentRelease, rows: pd.DataFrame) -> Markup:
    states = [state for state in _SIGNS if ((rows["state"] == state) & rows["value"].isna()).any()]
    words = [_("{sign} {words}", sign=_SIGNS[s] or _("empty:"), words=format_state(current, s)) for s in states]
    return html('<p class="notes">{}</p>', " · ".join([_("Point at a number for its margin."), *words]))
