"""The ranked list of the Overview page: in each row an area with unmet need, children met, its rate and its gaps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.narrative.area import word_tipping
from dashboard.narrative.completeness import find_late_quarter, name_period
from dashboard.narrative.judgement import AreaJudgement, GapAnswer, Statement
from dashboard.narrative.risk import name_certainty, name_claim
from dashboard.narrative.speech import Speech
from dashboard.site import current_release
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, format_number, format_period, html, join_markup, order_name
from data.message import mark
from risk.report.shift import WATCHED

ORDERS = {
    "unmet": mark("Rank by need not reached"),
    "rate": mark("Rank by rate"),
    "gaps": mark("Rank by gaps"),
    "name": mark("By name"),
}
_GAPS = {"gap": mark("gap"), "none": mark("no gap"), "cannot_tell": mark("cannot tell"), "withheld": mark("withheld")}
_QUARTERS = 12
_NEED = 2  # column of the number with its bar, each in a cell of its own


@dataclass(frozen=True)
class History:
    """The numbers of children met in an area, a value for each period, oldest first; NaN for a period without a number.

    The periods are quarters, or years on the public tier. late : the quarter whose records are still coming, or empty.
    """

    periods: tuple[str, ...]
    values: tuple[float, ...]
    late: str = ""


@cache_once(maxsize=8)
def read_histories(current: CurrentRelease) -> dict[str, History]:
    """Return the children identified or met in each county or region, by code, in the last twelve shortest periods.

    Empty if the release does not show them.
    """
    if not current_release.has_layer(current, "encounters", "region", ()):
        return {}
    periods = current_release.list_periods(current, "encounters", "region", "", ())[-_QUARTERS:]
    frames = current_release.read_series(current, "encounters", "region", periods, ())
    codes, late = {str(code) for frame in frames.values() for code in frame.index}, find_late_quarter(current)
    return {
        code: History(periods, tuple(float(f["value"].get(code, math.nan)) for f in frames.values()), late)
        for code in codes
    }


def order_areas(t: Speech, judged: Sequence[AreaJudgement], order: str, pathway: str) -> list[AreaJudgement]:
    """Return the areas in the order with this name (a key of ORDERS), but always with Tirana and Durrës first.

    Raises KeyError for another order.
    """

    def key(area: AreaJudgement) -> tuple[object, ...]:
        rate, name = area.rates.get(pathway), order_name(t.name_area(area.area))
        unmet = -area.unmet.amount.value if area.unmet else math.inf
        keys: Mapping[str, object] = {
            "unmet": area.unmet.rank.value if area.unmet else math.inf,
            "rate": -rate.value if rate else math.inf,
            "gaps": -sum(gap == "gap" for gap in area.gaps.values()),
            "name": name,
        }
        return area.area not in WATCHED, keys[order], unmet, name

    return sorted(judged, key=key)


def render_ranking(
    t: Speech,
    areas: Sequence[AreaJudgement],
    histories: Mapping[str, History],
    pathway: str,
    unranked: Sequence[str] = (),
) -> Markup:
    """Return the list of the areas of a country as a table. The name in a row is a link that chooses the area.

    unranked : codes of the areas of the country without a result of the model.
    """
    widest = max((area.unmet.amount.high for area in areas if area.unmet), default=1.0)
    rows = join_markup(_render_row(t, area, histories.get(area.area), pathway, widest) for area in areas)
    quarters = max((len(history.periods) for history in histories.values()), default=0)
    axes = len(next((area.gaps for area in areas if area.gaps), {}))
    heads = [
        (_("Rank"), _("Rank within the country by children not reached, with its 95 % interval"), ""),
        (_("Area"), "", ""),
        (
            _("Not reached, a quarter"),
            _("Children in need whom outreach of today does not reach: 95 % interval"),
            _("all pathways"),
        ),
        (
            _("Met, 3 years")
            if quarters == _QUARTERS
            else t.format_plural("Met, {count} quarter", "Met, {count} quarters", quarters),
            _("Children identified or met in each of the quarters shown (protected numbers)"),
            "",
        ),
        (_("Rate"), _("Rate over the whole time compared with the national average"), t.name_pathway(pathway)),
        (
            _("Gaps on {axes} axes", axes=axes) if axes else _("Gaps"),
            _("Gaps in reach of services, by axis of work"),
            "",
        ),
    ]
    others = _("Not ranked, since no population is known: {areas}", areas=t.list_areas(unranked)) if unranked else ""
    rows += html('<tr class="others"><td colspan="7">{}</td></tr>', others) if others else Markup("")
    head = join_markup(
        html(
            '<th scope="col" title="{}"{}>{}{}</th>',
            hint,
            Markup(" colspan=2") if n == _NEED else "",
            name,
            html(" <small>{}</small>", counted) if counted else "",
        )
        for n, (name, hint, counted) in enumerate(heads)
    )
    return html(
        '<div class="ranking" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody>{}</table></div>',
        head,
        rows,
        _render_foot(is_ranked=any(area.unmet for area in areas), has_courses=quarters > 0, has_gaps=axes > 0),
    )


def _render_foot(*, is_ranked: bool, has_courses: bool, has_gaps: bool) -> Markup:
    """Return the foot of the table, which explains ranks, bars and dots; empty if the table has none of them."""
    dots = join_markup(html('<span><i class="{}"></i> {}</span>', gap, _(words)) for gap, words in _GAPS.items())
    parts = [
        html("<p>{}</p>", _("Rank: middle estimate (95 % interval). Same rank: too close to order."))
        if is_ranked
        else "",
        html('<p class="course">{}</p>', _("Children met: each row has its own scale.")) if has_courses else "",
        html("<p><b>{}</b>{}</p>", _("Gaps"), dots) if has_gaps else "",
    ]
    if not any(parts):
        return Markup("")
    return html('<tfoot><tr><td class="gaps" colspan="7"><div>{}</div></td></tr></tfoot>', join_markup(parts))


def _render_row(t: Speech, area: AreaJudgement, history: History | None, pathway: str, widest: float) -> Markup:
    return html(
        '<tr data-area="{}" class="{}"><td class="rank">{}</td>'
        '<th scope="row"><a href="?area={}" target="_self">{}</a>{}</th>'
        '{}<td class="course">{}</td><td class="rate">{}</td><td class="gaps">{}</td></tr>',
        area.area,
        "watched" if area.area in WATCHED else "",
        _render_rank(area),
        area.area,
        t.name_area(area.area),
        html(" <small>{}</small>", t("pinned")) if area.area in WATCHED else "",
        _render_unmet(t, area, widest),
        render_history(history),
        _render_rate(t, area.rates.get(pathway)),
        _render_gaps(t, area.gaps),
    )


def _render_rank(area: AreaJudgement) -> Markup:
    if area.unmet is None:
        return Markup("–")
    rank = area.unmet.rank
    return html("<b>{}</b> <small>({}–{})</small>", rank.value, rank.first, rank.last)


def _render_unmet(t: Speech, area: AreaJudgement, widest: float) -> Markup:
    """Return a cell with a bar and the interval, and a cell with the number; if it is not known, one cell says so."""
    if area.unmet is None:
        words = _("cannot tell") if area.doubt == "few" else _("no figure")
        return html('<td class="unmet" colspan="2"><small>{}</small></td>', words)
    amount = area.unmet.amount
    low, middle, high = (round(100 * value / widest, 1) for value in (amount.low, amount.value, amount.high))
    return html(
        '<td class="unmet"><span class="bar" aria-hidden="true"><i style="width:{}%"></i>'
        '<b style="left:{}%;width:{}%"></b></span></td>'
        '<td class="amount"><span class="number">{}</span> <small>{}</small></td>',
        middle,
        low,
        round(high - low, 1),
        t.format_number(amount.value),
        _("{low} to {high}", low=t.format_number(amount.low), high=t.format_number(amount.high)),
    )


def render_history(history: History | None) -> Markup:
    """Return children met as small bars, one for each period; a period without a number has an empty bar.

    If no period has a number, or `history` is None, a text says so.
    """
    if history is None or all(math.isnan(value) for value in history.values):
        return html("<small>{}</small>", _("no number"))
    largest = max(1.0, *(value for value in history.values if not math.isnan(value)))
    bars = join_markup(
        Markup("<i class=none></i>")
        if math.isnan(value)
        else html("<i style=height:{}%></i>", round(100 * value / largest))
        for value in history.values
    )
    words = _(
        "{first} to {last}: at most {largest} in a period, {newest} in the last one",
        first=format_period(history.periods[0]),
        last=name_period(history.periods[-1], history.late),
        largest=format_number(round(largest)),
        newest=_("no number") if math.isnan(history.values[-1]) else format_number(round(history.values[-1])),
    )
    return html('<span class="sparks" role="img" aria-label="{}" title="{}">{}</span>', words, words, bars)


def _render_rate(t: Speech, rate: Statement | None) -> Markup:
    """Return the claim on the rate and its certainty, with the number in the tooltip; "no figure" for None."""
    if rate is None:
        return html("<small>{}</small>", _("no figure"))
    interval = _(
        "{value} times the national average (95 % interval {low} to {high}), whole time",
        value=t.format_number(rate.value, 2),
        low=t.format_number(rate.low, 2),
        high=t.format_number(rate.high, 2),
    )
    claim, certainty = name_claim(rate.claim), name_certainty(rate.certainty)
    title = ". ".join(filter(None, (interval, word_tipping(t, rate))))
    return html('<span title="{}">{} <small>{}</small></span>', title, claim, certainty if rate.claim else "")


def _render_gaps(t: Speech, gaps: Mapping[str, GapAnswer]) -> Markup:
    """Return a dot for each axis of work, whose CSS class is the answer on a gap; "no figure" without axes."""
    if not gaps:
        return html("<small>{}</small>", _("no figure"))
    words = [f"{t.name_kind(axis)}: {_(_GAPS[gap])}" for axis, gap in gaps.items()]
    dots = join_markup(
        html('<i class="{}" title="{}"></i>', gap, word) for gap, word in zip(gaps.values(), words, strict=True)
    )
    return html('<span role="img" aria-label="{}">{}</span>', "; ".join(words), dots)
