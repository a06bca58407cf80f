"""The Overview of the partner tier: unmet need, the usual plan, and the judgement of each area."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from dashboard.map.area_marks import AreaMark, Key
from dashboard.map.legend import LegendClass
from dashboard.narrative.answer import Finding, word_answer
from dashboard.narrative.area import word_area, word_unmet
from dashboard.narrative.judgement import (
    AreaAdvice,
    AreaJudgement,
    Unmet,
    judge_areas,
    read_area_advice,
    read_usual_plan,
)
from dashboard.narrative.speech import Speech
from dashboard.pages.overview import alerts, ranking
from dashboard.pages.overview.content import Content, Link
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names, read_risk_manifest
from dashboard.site.text import _, format_month, html, join_markup
from dashboard.widgets.picture import fade_colour
from data.tables.periods import Period
from geo.layers.core import breaks, palette
from risk.planning.summary import PlanSummary
from risk.report.shift import WATCHED

# Strength of the colour (0 to 1), by how sure it is whether an area is among the five with the most children.
_STRENGTHS = {"very_likely": 1.0, "very_likely_not": 1.0, "likely": 0.75, "likely_not": 0.75}
_WEAK = 0.5


def make_content(t: Speech, current: CurrentRelease) -> Content:
    """Return the content of the page for a release of the partner tier."""
    judged, plan = judge_areas(current), read_usual_plan(current)
    bounds = _choose_bounds(t, judged)
    colours = palette.choose_colours(palette.RISKS, len(bounds) + 1)
    histories = ranking.read_histories(current)
    table = load_areas(current.release).table
    country_of = table["country"][table["level"] == "region"].astype(str)

    def render_rows(country: str, order: str, pathway: str) -> Markup:
        areas = [area for area in judged.values() if area.country == country]
        ordered = ranking.order_areas(t, areas, order, pathway)
        unranked = [code for code in map(str, country_of.index[country_of == country]) if code not in judged]
        return ranking.render_ranking(t, ordered, histories, pathway, unranked)

    return Content(
        findings=_word_findings(t, judged, plan),
        links=list_links(plan),
        note=_word_note(t, current),
        key=_make_key(t, judged, bounds, colours, plan, unjudged=not set(map(str, country_of.index)) <= set(judged)),
        marks=_make_marks(t, current, judged, bounds, colours),
        areas={code: area.country for code, area in judged.items()},
        flows=plan.sum_flows() if plan and plan.advised else (),
        orders={name: _(words) for name, words in ranking.ORDERS.items()},
        alerts=lambda earlier: alerts.list_alerts(t, current, earlier),
        render_rows=render_rows,
        word_area=lambda code, pathway: _render_card(t, judged.get(code), read_area_advice(current, code), pathway),
    )


def _choose_bounds(t: Speech, judged: Mapping[str, AreaJudgement]) -> tuple[float, ...]:
    """Return the lower bounds, in children per quarter, of the second and later classes of unmet need.

    Bounds that would be written like another one, or as 0, are left out.
    """
    bounds = breaks.choose_breaks([area.unmet.amount.value for area in judged.values() if area.unmet])
    written = {t.format_number(bound): bound for bound in reversed(bounds)}
    return tuple(bound for words, bound in reversed(written.items()) if words != "0")


def _word_findings(t: Speech, judged: Mapping[str, AreaJudgement], plan: PlanSummary | None) -> list[Finding]:
    findings = word_answer(t, judged, plan)
    if any(area.unmet or area.doubt for area in judged.values()):
        return findings
    # The results were made by an earlier version.
    return [
        Finding(
            _("Children in need who are not reached have not been calculated"), _("a data officer runs: tact risk")
        ),
        *findings,
    ]


def list_links(plan: PlanSummary | None) -> list[Link]:
    """Return the links to other pages that are shown below the findings."""
    advised = plan is not None and plan.answer != "keep"
    moves = _("See the moves") if advised else _("See what was considered")
    further = Link(_("See why"), "risk"), Link(_("How sure is this?"), "method")
    return [Link(moves, "reallocate?pathway=all", plan is not None and plan.advised), *further]


def _word_note(t: Speech, current: CurrentRelease) -> str:
    manifest = read_risk_manifest(current)
    if manifest is None or not manifest.years[0]:
        return _("Numbers carry noise that protects children.")
    return _(
        "Shares: the year to {last}, compared with the year from {first}. Numbers carry noise that protects children.",
        first=t.format_day(manifest.years[0]),
        last=t.format_day(manifest.years[1]),
    )


def _make_key(
    t: Speech,
    judged: Mapping[str, AreaJudgement],
    bounds: tuple[float, ...],
    colours: tuple[str, ...],
    plan: PlanSummary | None,
    *,
    unjudged: bool,
) -> Key:
    period = next((area.unmet.amount.period for area in judged.values() if area.unmet), "")
    labels = ["0", *map(t.format_number, bounds)] if period else []
    labels[-1:] = [f"{label}+" for label in labels[-1:]]
    unit = _("cannot be said yet") if any(area.doubt for area in judged.values()) else _("not calculated yet")
    if period:
        unit = _("all pathways, a quarter, year to {last}", last=format_month(Period.parse(period).end))
    advised = plan is not None and plan.advised
    return Key(
        _("Children in need not reached"),
        unit,
        [LegendClass(*pair) for pair in zip(colours, labels, strict=True)] if labels else [],
        [
            _("Paler: less sure whether among the five with the most.") if period else "",
            _("Crosses: cannot tell. That does not mean low.") if any(area.doubt for area in judged.values()) else "",
            _("White: no figure.") if unjudged else "",
            _("Arrows: the moves to make.") if advised else "",
        ],
    )


def _make_marks(
    t: Speech,
    current: CurrentRelease,
    judged: Mapping[str, AreaJudgement],
    bounds: tuple[float, ...],
    colours: tuple[str, ...],
) -> dict[str, AreaMark]:
    """Return how each area is drawn, by code, in the order in which names are placed.

    Durrës and Tirana come first, then the areas with the most children in need not reached.
    """
    names = read_area_names(current)
    unmet = {code: area.unmet.amount.value if area.unmet else 0.0 for code, area in judged.items()}
    ordered = sorted(
        judged.values(),
        key=lambda area: (area.area not in WATCHED, area.area if area.area in WATCHED else -unmet[area.area]),
    )
    marks = {}
    for area in ordered:
        colour = "#fff"
        if area.unmet is not None:
            position = sum(area.unmet.amount.value >= bound for bound in bounds)
            colour = fade_colour(colours[position], _STRENGTHS.get(area.unmet.rank.top, _WEAK))
        name = t.name_area(area.area)
        words = word_unmet(t, area) or _("no figure")
        marks[area.area] = AreaMark(
            name if area.area in names else "",
            colour,
            f"{name}. {words}",
            unsure=bool(area.doubt),
            numbers=_list_numbers(area.unmet),
        )
    return marks


def _list_numbers(unmet: Unmet | None) -> dict[str, float]:
    """Return the numbers in the sentence on children who are not reached, by column of their table; empty for None."""
    if unmet is None:
        return {}
    amount, rank = unmet.amount, unmet.rank
    ranks = {"rank": rank.value, "rank_first": rank.first, "rank_last": rank.last}
    return {"value": amount.value, "lower": amount.low, "upper": amount.high, **ranks}


def _render_card(t: Speech, area: AreaJudgement | None, advice: AreaAdvice | None, pathway: str) -> Markup:
    """Return the sentences on the chosen area, and links to other pages about it; empty if `area` is None."""
    if area is None:
        return Markup("")
    links = [(_("Map"), "map"), (_("Risk"), "risk"), (_("Trends"), "trends"), (_("Reallocate"), "reallocate")]
    return html(
        '<div class="card"><p><b>{}</b> {}</p><p class="onward">{}</p></div>',
        t.name_area(area.area),
        " ".join(word_area(t, area, advice, pathway)),
        join_markup(html('<a href="{}" target="_self">{}</a>', page, words) for words, page in links),
    )
