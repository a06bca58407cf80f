"""The matrix of the Coverage page: areas by axis, duty bearer or kind of help, the areas with the most need first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
from markupsafe import Markup

from dashboard.narrative.judgement import GapAnswer, answer_gap, judge_areas
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.pages.coverage.summary import format_minutes, read_access
from dashboard.site.current_release import CurrentRelease, list_countries
from dashboard.site.text import _, cache_by_language, capitalise, format_number, html, join_markup, translate
from data.message import mark
from geo.layers.core import Choice
from geo.layers.core.service_choices import AXES, BEARERS, HELP
from risk.access.tables import CATCHMENT

_COLUMNS: Mapping[str, tuple[Choice, ...]] = {"axes": AXES, "bearers": BEARERS, "kinds": HELP}
# A sign beside the colour, and the words for both.
SIGNS: Mapping[GapAnswer, tuple[str, str]] = {
    "gap": ("●", mark("gap")),
    "none": ("○", mark("no gap")),
    "cannot_tell": ("?", mark("cannot tell")),
    "withheld": ("╱", mark("not shown")),
}
# Of a kind of help the matrix says whether there is any within reach.
SIGNS_OF_KINDS = {**SIGNS, "gap": ("●", mark("none within two hours")), "none": ("○", mark("within two hours"))}
_NAMED = 4


@cache_by_language(maxsize=64)
def read_gaps(current: CurrentRelease, country: str, columns: str) -> dict[str, dict[str, GapAnswer]]:
    """Return whether there is a gap, by area and then by kind of services; the areas with the most need come first.

    columns : "axes" for the axes of work, whose gaps come from the judgement of the area; "bearers" for duty bearers;
    "kinds" for kinds of help, for which a gap is that there is none within two hours. Kinds without results on access
    are left out.
    """
    judged = {code: area for code, area in judge_areas(current).items() if area.country == country}
    needs = {code: area.need.value if area.need else -1.0 for code, area in judged.items()}
    ordered = sorted(judged, key=lambda code: -needs[code])
    if columns == "axes":
        return {code: {f"axis-{axis}": gap for axis, gap in judged[code].gaps.items()} for code in ordered}
    measure, answer = ("minutes", _answer_reach) if columns == "kinds" else ("gap", answer_gap)
    frames = {choice.id: read_access(current, measure, choice.id) for choice in _COLUMNS[columns]}
    answers = {
        kind: {str(code): answer(row) for code, row in frame.to_dict("index").items()}
        for kind, frame in frames.items()
        if len(frame)
    }
    return {code: {kind: rows[code] for kind, rows in answers.items() if code in rows} for code in ordered}


def _answer_reach(row: Mapping[Any, Any]) -> GapAnswer:
    """Return "none", for no gap, if the nearest shown service is within two hours; `row` : of the measure "minutes".

    Return "gap" if none that is not shown, or lies across water, may be within two hours either.
    """
    if row["state"] == "withheld":
        return "withheld"
    if row["state"] == "number" and row["value"] <= CATCHMENT.minutes:
        return "none"
    return "cannot_tell" if row["maybe_near"] or row["state"] == "cannot_tell" else "gap"


def word_answer(current: CurrentRelease, area: str, kind: str) -> str:
    """Return sentences on the country of `area`, or on each country if `area` is empty or unknown.

    They say where a kind of help is not within reach if the chosen `kind` of services is one, and else where gaps are
    likely.
    """
    chosen = [choice for choice in HELP if choice.id == kind]
    countries = list_countries(current, area)
    return " ".join([*list_reach(current, countries, chosen)] or [word_gaps(current, land) for land in countries])


def list_reach(current: CurrentRelease, countries: Iterable[str], kinds: Sequence[Choice] = HELP) -> Iterator[str]:
    """Yield sentences on the areas without a kind of help within two hours; none if the release does not have it."""
    for choice, country in product(kinds, countries):
        t, cells = speak_to_reader(current), read_gaps(current, country, "kinds")
        answers = {code: kinds_here[choice.id] for code, kinds_here in cells.items() if choice.id in kinds_here}
        where = {answer: [code for code, other in answers.items() if other == answer] for answer in SIGNS}
        words = {"country": t.name_area(country), "help": translate(choice.label), "all": len(answers)}
        if far := where["gap"]:
            yield _(
                "{country}: no {help} (prevention and coordination) within two hours in {count} of {all} areas: "
                "{areas}.",
                **words, count=len(far), areas=t.list_areas(far),
            )  # fmt: skip
        elif where["none"]:
            yield _(
                "{country}: {help} (prevention and coordination) within two hours in {count} of {all} areas.",
                **words, count=len(where["none"]),
            )  # fmt: skip
        if unsure := where["cannot_tell"] + where["withheld"]:
            yield _("{country}, {help}: cannot tell for {areas}.", **words, areas=t.list_areas(unsure))


def word_gaps(current: CurrentRelease, country: str) -> str:
    """Return a sentence on how many likely gaps a country has on the axes of work, and in which areas.

    Without a likely gap it says that there is none where this is known, or that it is known for no area.
    """
    t, gaps = speak_to_reader(current), read_gaps(current, country, "axes")
    areas = [code for code, cells in gaps.items() if "gap" in cells.values()]
    if not areas:
        name = t.name_area(country)
        if any("none" in cells.values() for cells in gaps.values()):
            return _("{country}: no gap is likely where it can be told.", country=name)
        return _("{country}: whether there are gaps on the axes of work cannot be told.", country=name)
    count = sum(gap == "gap" for cells in gaps.values() for gap in cells.values())
    return t.format_plural(
        "{country}: {count} likely gap on the axes of work, in {areas}.",
        "{country}: {count} likely gaps on the axes of work, in {areas}.",
        count,
        country=t.name_area(country),
        areas=t.list_areas(areas, _NAMED),
    )


@cache_by_language(maxsize=256)
def render_matrix(current: CurrentRelease, country: str, columns: str, kind: str, area: str) -> Markup:
    """Return the matrix with its legend, one row for each area of a country.

    A row has the need, a cell for each kind of services, and the minutes of travel to the nearest service of `kind`.
    columns : as for `read_gaps`. kind : the chosen kind of services. area : the chosen area.
    """
    t, gaps = speak_to_reader(current), read_gaps(current, country, columns)
    kinds = [choice for choice in _COLUMNS[columns] if any(choice.id in cells for cells in gaps.values())]
    head = join_markup(
        html(
            '<th scope="col" class="{}"><span>{}</span></th>',
            "picked" if choice.id == kind else "",
            capitalise(translate(choice.label)),
        )
        for choice in kinds
    )
    minutes = read_access(current, "minutes", kind).to_dict("index")
    rows = join_markup(
        _render_row(t, current, code, gaps[code], kinds, minutes.get(code, {}), (kind, area)) for code in gaps
    )
    return html(
        '<div class="gaps" tabindex="0" role="region" aria-label="{}"><table><thead><tr><th scope="col">{}</th>'
        '<th scope="col">{}</th>{}<th scope="col"><span>{}</span></th></tr></thead><tbody>{}</tbody></table></div>{}',
        _("Gaps by area, the areas with most need first"),
        _("Area"),
        _("Need"),
        head,
        _("Minutes"),
        rows,
        _render_key(columns),
    )


def _render_row(
    t: Speech,
    current: CurrentRelease,
    code: str,
    cells: Mapping[str, GapAnswer],
    kinds: list[Choice],
    minutes: Mapping[Any, Any],
    chosen: tuple[str, str],
) -> Markup:
    need, name, (_kind, area) = judge_areas(current)[code].need, t.name_area(code), chosen
    return html(
        '<tr data-area="{0}" class="{1}"><th scope="row"><a href="?area={0}" target="_self"{2}>{3}</a></th>'
        '<td class="need">{4}</td>{5}{6}</tr>',
        code,
        "chosen" if code == area else "",
        Markup(' aria-current="true"') if code == area else "",
        name,
        format_number(need.value) if need else "–",
        join_markup(
            _render_cell(code, name, choice, cells.get(choice.id), is_chosen=chosen == (choice.id, code))
            for choice in kinds
        ),
        _render_minutes(minutes),
    )


def _render_cell(code: str, name: str, choice: Choice, gap: GapAnswer | None, *, is_chosen: bool) -> Markup:
    """Return a cell: a link that shows the map of its kind of services, with a sign and a colour."""
    if gap is None:
        return html("<td></td>")
    measure, signs = ("minutes", SIGNS_OF_KINDS) if choice in HELP else ("gap", SIGNS)
    sign, words = signs[gap]
    label = _("{area}, {services}: {words}", area=name, services=translate(choice.label), words=_(words))
    return html(
        '<td class="{}{}"><a href="?services={}&amp;show={}&amp;area={}" target="_self" title="{}" aria-label="{}">'
        "{}</a></td>",
        gap,
        " picked" if is_chosen else "",
        choice.id,
        measure,
        code,
        label,
        label,
        sign,
    )


def _render_minutes(row: Mapping[Any, Any]) -> Markup:
    """Return a cell with the minutes to the nearest service that is shown, after ≤ if a withheld one may be nearer.

    The cell has a dash if the minutes are not known.
    """
    if not row:
        return html('<td class="minutes">–</td>')
    value = float(row["value"])
    sign = "–" if pd.isna(value) or math.isnan(value) else f"{'≤' if row['nearer'] else ''}{format_number(value)}"
    words = format_minutes(row)
    return html('<td class="minutes" title="{}" aria-label="{}">{}</td>', words, words, sign)


def _render_key(columns: str) -> Markup:
    signs = join_markup(
        html('<li class="{}"><i aria-hidden="true">{}</i>{}</li>', gap, sign, _(words))
        for gap, (sign, words) in (SIGNS_OF_KINDS if columns == "kinds" else SIGNS).items()
    )
    alone = {
        "bearers": _("Services of duty bearers are those of prevention and coordination."),
        "kinds": _("Prevention and coordination alone; kinds that are not recorded or not shown may be missing."),
    }
    return html(
        '<div class="gapkey"><ul>{}</ul><p>{} {}</p></div>',
        signs,
        _(
            "Need: children newly in need in a quarter, all pathways: those found, divided by an assumed share found. "
            "Minutes to the nearest service; ≤: one not shown may be nearer."
        ),
        alone.get(columns, ""),
    )
