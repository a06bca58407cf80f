"""Rates on a map and in a list. The hue of a colour shows the estimate, its strength how sure the claim is."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from dashboard.map.area_marks import AreaMark, Key
from dashboard.map.legend import LegendClass
from dashboard.narrative.judgement import judge_areas
from dashboard.narrative.risk import format_statement, list_statements, name_certainty, name_claim, read_area_rates
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.site.current_release import CurrentRelease, name_regions, read_country_names
from dashboard.site.text import _, cache_by_language, format_period, html, join_markup
from dashboard.widgets.markup import link_reallocate, render_lands
from dashboard.widgets.picture import fade_colour
from data.message import mark
from geo.layers.core import palette
from geo.layers.risk import PUBLIC, RATES

CUTS = (2 / 3, 1.0, 1.5, 2.25)
_NAMES = (mark("under 0.67"), mark("0.67 to 1"), mark("1 to 1.5"), mark("1.5 to 2.25"), mark("over 2.25"))
# Strength of the colour (0 to 1) by the code of the certainty.
STRENGTHS = {"very_likely": 1.0, "likely": 0.68, "": 0.36}
_WHITE = "#fff"
# The axis of the list is at least as wide as the first pair, and at most as wide as the second.
_USUAL, _WIDEST = (0.2, 5.0), (0.05, 20.0)
_MARGIN = 1.1  # beyond the outermost interval, as a factor
_TICKS, _FEW_TICKS, _MOST = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0), (0.25, 1.0, 2.0, 4.0, 8.0, 16.0), 5
EVERY = "50"
_ENDS = ("median", "lower", "upper")


def name_steps() -> dict[str, str]:
    """Return the names of the steps of certainty, by id. With the first step, all areas are shown."""
    return {EVERY: _("show all"), **{str(step): _("{n} in 100", n=step) for step in (66, 80, 90, 95)}}


def is_shown(row: Mapping[Any, Any], least: str) -> bool:
    """Return whether an area has an estimate and a claim whose probability is at least `least`, in per cent.

    With `least` EVERY, no claim is needed. row : of `read_area_rates`.
    """
    if math.isnan(row["median"]):
        return False
    return least == EVERY or bool(row["claim"] and 100 * float(row["probability"]) >= int(least))


def choose_colour(row: Mapping[Any, Any]) -> str:
    """Return the colour of an area: hue by the estimate, strength by the certainty; white without an estimate."""
    if math.isnan(row["median"]):
        return _WHITE
    strength = str(row["certainty"]) if row["claim"] and row["certainty"] in STRENGTHS else ""
    return fade_colour(palette.RISKS[bisect_right(CUTS, float(row["median"]))], STRENGTHS[strength])


@cache_by_language(maxsize=64)
def make_marks(current: CurrentRelease, pathway: str, least: str, chosen: str) -> dict[str, AreaMark]:
    """Return how each area is drawn, by code, in the order in which names are placed.

    The chosen area comes first, then the areas that most probably have high rates. least : as for `is_shown`.
    The mapping is shared: never change it.
    """
    t, rates = speak_to_reader(current), read_area_rates(current, pathway).sort_values("exceeding", ascending=False)
    rows = {str(code): row for code, row in rates.to_dict("index").items()}
    ordered = sorted(rows, key=lambda code: code != chosen)
    return {
        code: AreaMark(
            t.name_area(code),
            choose_colour(rows[code]),
            f"{t.name_area(code)}: {_word_mark(t, rows[code])}",
            unsure=not is_shown(rows[code], least),
            numbers={name: float(rows[code][name]) for name in _ENDS if not math.isnan(rows[code][name])},
        )
        for code in ordered
    }


def _word_mark(t: Speech, row: Mapping[Any, Any]) -> str:
    """Return the estimate of an area with its interval, and the claim; only the claim if there is no estimate."""
    statement = format_statement(row)
    return statement if math.isnan(row["median"]) else f"{_word_rate(t, row)}. {statement}"


def _word_rate(t: Speech, row: Mapping[Any, Any]) -> str:
    value, low, high = (t.format_number(float(row[name]), 2) for name in _ENDS)
    return t("{value} ({low} to {high})", value=value, low=low, high=high)


def name_classes() -> dict[str, str]:
    """Return the names of the classes of the estimate, by their colour at full strength, the lowest first."""
    return {colour: _(name) for colour, name in zip(palette.RISKS, _NAMES, strict=True)}


def word_hidden(current: CurrentRelease, pathway: str, least: str) -> str:
    """Return a sentence on what the pattern of crosses means; empty if no area can have it."""
    if least != EVERY:
        return _("Crosses: less sure than {n} in 100.", n=least)
    silent = read_area_rates(current, pathway)["median"].isna().any()
    return _("Crosses: cannot tell. That does not mean low.") if silent else ""


def word_white(current: CurrentRelease) -> str:
    """Return a sentence on what white areas mean; empty if there are none."""
    return "" if set(name_regions(current)) <= set(judge_areas(current)) else _("White: no figure.")


def render_legend(pathway: str, *notes: str) -> Markup:
    """Return the legend of the map: a column for each strength, a row for each class of the estimate.

    notes : what the pattern and white areas mean; empty ones are left out.
    """
    heads = [name_certainty(code) or _("cannot tell") for code in STRENGTHS]
    rows = [
        html(
            "<tr>{}<th scope=row>{}</th></tr>",
            join_markup(html('<td style="background:{}"></td>', fade_colour(colour, s)) for s in STRENGTHS.values()),
            name,
        )
        for colour, name in name_classes().items()
    ]
    return html(
        '<div class="key sure"><h2>{}</h2><p>{}</p><table><thead><tr>{}<td></td></tr></thead><tbody>{}</tbody></table>'
        "{}</div>",
        _("Rate, times the national average"),
        _("{pathway}, whole time", pathway=pathway),
        join_markup(html("<th scope=col><span>{}</span></th>", head) for head in heads),
        join_markup(rows),
        join_markup(html("<p>{}</p>", note) for note in notes if note),
    )


@cache_by_language(maxsize=128)
def render_rates(current: CurrentRelease, pathway: str, least: str, chosen: str) -> Markup:
    """Return a list of the areas in the country of the area `chosen`, with their rates and intervals, highest first.

    Raises KeyError if `chosen` has no row in the results of the model.
    """
    t, rates = speak_to_reader(current), read_area_rates(current, pathway)
    country = str(rates["country"][chosen])
    rows = rates[rates["country"] == country]
    axis = _choose_axis(rows["lower"].min(), rows["upper"].max())
    ticks = join_markup(
        html('<i style="left:{}%">{}</i>', _place(tick, axis), t.format_number(tick, 2 if tick < 0.5 else None))
        for tick in _choose_ticks(axis)
    )
    return html(
        '{}<div class="rates" tabindex="0" role="region" aria-label="{}"><table><thead><tr><th scope="col">{}</th>'
        '<th scope="col"><span class="ticks"><b>{}</b>{}</span></th><th scope="col">{}</th><th scope="col">{}</th>'
        "</tr></thead><tbody>{}</tbody></table></div>",
        render_lands(read_country_names(current), country),
        _("Rates of areas with 95 % intervals"),
        _("Area"),
        _("times the national average"),
        ticks,
        _("Rate"),
        _("What is said, how sure"),
        join_markup(_render_row(t, str(code), row, axis, least, chosen) for code, row in rows.to_dict("index").items()),
    )


def _choose_axis(lowest: float, highest: float) -> tuple[float, float]:
    """Return the ends of the axis of rates, in multiples of the national average.

    All intervals lie between them, unless the axis would be wider than `_WIDEST`. lowest, highest : the outermost ends
    of the intervals; NaN if there is no estimate.
    """
    low, high = lowest / _MARGIN, highest * _MARGIN
    return (
        max(_WIDEST[0], low) if low < _USUAL[0] else _USUAL[0],
        min(_WIDEST[1], high) if high > _USUAL[1] else _USUAL[1],
    )


def _choose_ticks(axis: tuple[float, float]) -> list[float]:
    """Return the rates that are written along the axis; on a wide axis fewer, so that there is room for each."""
    ticks = [tick for tick in _TICKS if axis[0] <= tick <= axis[1]]
    return ticks if len(ticks) <= _MOST else [tick for tick in ticks if tick in _FEW_TICKS]


def _render_row(
    t: Speech, code: str, row: Mapping[Any, Any], axis: tuple[float, float], least: str, chosen: str
) -> Markup:
    shown = is_shown(row, least)
    return html(
        '<tr data-area="{0}" class="{1}{2}"><th scope="row"><a href="?area={0}" target="_self"{3}>{4}</a></th>'
        "{5}<td>{6}</td></tr>",
        code,
        "chosen " if code == chosen else "",
        "" if shown else "unsure",
        Markup(' aria-current="true"') if code == chosen else "",
        t.name_area(code),
        html('<td class="dots"></td><td class="value">–</td>')
        if math.isnan(row["median"])
        else _render_estimate(t, row, axis, choose_colour(row) if shown else _WHITE),
        _render_said(t, row),
    )


def _render_estimate(t: Speech, row: Mapping[Any, Any], axis: tuple[float, float], colour: str) -> Markup:
    """Return a cell with the estimate as a dot on its interval, and a cell with the numbers.

    An interval that is longer than the axis ends in an arrow head. An estimate outside the axis has no dot.
    """
    median, lower, upper = (float(row[name]) for name in _ENDS)
    low, high = _place(lower, axis), _place(upper, axis)
    cut = [name for name, is_cut in (("below", lower < axis[0]), ("above", upper > axis[1])) if is_cut]
    dot = html('<i style="left:{}%;background:{}"></i>', _place(median, axis), colour)
    return html(
        '<td class="dots"><span aria-hidden="true"><s style="left:{}%"></s>'
        '<b class="{}" style="left:{}%;width:{}%"></b>{}</span></td><td class="value">{} <small>{}</small></td>',
        _place(1.0, axis),
        " ".join(cut),
        low,
        round(high - low, 1),
        dot if axis[0] <= median <= axis[1] else "",
        t.format_number(float(row["median"]), 2),
        f"{t.format_number(row['lower'], 2)}–{t.format_number(row['upper'], 2)}",
    )


def _render_said(t: Speech, row: Mapping[Any, Any]) -> Markup:
    """Return the claim on an area, else the one that is very likely, with its probability; else "cannot tell".

    The tooltip has both claims in words. In results without the probability, the word for the certainty is shown.
    """
    statements = list_statements(str(row["claim"]), str(row["certainty"]), str(row["surely"]))
    if not statements:
        return html("{}", _("cannot tell"))
    claim, certainty = statements[0]
    chance = row["probability"] if row["claim"] else row.get("sure_probability")
    return html(
        '<span title="{}">{} <small>{}</small></span>',
        format_statement(row),
        name_claim(claim),
        name_certainty(certainty) if chance is None else t.format_chance(float(chance)),
    )


def _place(value: float, axis: tuple[float, float]) -> float:
    """Return the position of a rate on the logarithmic axis, in per cent."""
    low, high = map(math.log, axis)
    return round(100 * (min(max(math.log(value), low), high) - low) / (high - low), 1)


def render_steps(steps: list[tuple[str, float]], t: Speech) -> Markup:
    """Return a small waterfall chart of steps, pairs (words, number of children); empty without steps."""
    if not steps:
        return Markup("")
    most = max(1.0, *(value for _words, value in steps))
    rows, before = [], 0.0
    for number, (words, value) in enumerate(steps):
        start, end = (0.0, value) if number == 0 else sorted((before, value))
        rows.append(
            html(
                '<tr><th scope="row">{}</th><td><i class="{}" style="left:{}%;width:{}%"></i>'
                '<s style="left:{}%"></s></td><td class="value">{}</td></tr>',
                words,
                "first" if number == 0 else "more" if value >= before else "less",
                round(100 * start / most, 1),
                round(max(0.6, 100 * (end - start) / most), 1),
                round(100 * value / most, 1),
                t.format_number(round(value)),
            )
        )
        before = value
    return html(
        '<table class="steps"><caption>{}</caption><tbody>{}</tbody></table>',
        _("Children identified or met"),
        join_markup(rows),
    )


def render_card(verdict: str, facts: list[tuple[str, str, str]], steps: Markup, turning: str) -> Markup:
    """Return the card on the chosen area.

    verdict : the claim in words. facts : tuples (label, value, interval). steps : a chart. turning : what would change
    the claim.
    """
    return html(
        '<div class="areacard"><div><p class="said">{}</p><dl>{}</dl><p class="turning">{}</p>{}</div>{}</div>',
        verdict,
        join_markup(html("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>", *fact) for fact in facts),
        turning,
        link_reallocate(),
        steps,
    )


def make_public_marks(t: Speech, classes: Mapping[str, str]) -> dict[str, AreaMark]:
    """Return how each area is drawn, by code. An area without a class has crosses. classes : each area's class."""
    colours = dict(zip(RATES, palette.RISK, strict=True))
    return {
        code: AreaMark(
            t.name_area(code), colours.get(claim, _WHITE), f"{t.name_area(code)}: {name_claim(claim)}", unsure=not claim
        )
        for code, claim in classes.items()
    }


def make_public_key(period: str, classes: Mapping[str, str]) -> Key:
    """Return the legend of the classes that occur. period : the year. classes : the code of each area's class."""
    colours = dict(zip(RATES, palette.RISK, strict=True))
    present = [LegendClass(colours[code], name_claim(code)) for code in PUBLIC if code in classes.values()]
    unsure = _("Crosses: cannot tell. That does not mean low.") if "" in classes.values() else ""
    title = _("Class of the rate, compared with the national average")
    return Key(title, format_period(period), present, [unsure], in_words=True)


def explain_classes() -> list[str]:
    """Return sentences on what the public classes mean."""
    return [
        _(
            "Low: less than two thirds of the national average. Average: up to one and a half times. High: more than "
            "that. Very high: more than two and a quarter times."
        ),
        _(
            "These classes are calculated from public numbers only, so most of them are “cannot tell”. It does not "
            "mean low risk."
        ),
    ]
