"""Sentences on places in a plan: what one more team would bring, why Tirana or Durrës, where the ways are not known."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dashboard.narrative.speech import Speech
from dashboard.site.text import capitalise
from geo.islands import find_region
from risk.planning.posts import OUTREACH, TEAM_DAYS
from risk.planning.summary import PlanSummary
from risk.report.shift import WATCHED


def word_one_more(t: Speech, plan: PlanSummary) -> str:
    """Return a sentence on what one more team, or service, would bring and where; empty in plans of older versions.

    It is added to the planned posts if the plan advises its moves, else to those of today.
    """
    layout = "planned" if plan.advised else "today"
    offers = [more for more in plan.one_more if more.layout == layout]
    if not offers or plan.totals is None:
        return ""
    best = max(offers, key=lambda more: (more.kind == OUTREACH, more.gain.mean))
    met = plan.totals.planned if plan.advised else plan.totals.today
    return t(
        "It would reach most in {area}: about {gain} more children per quarter ({interval}). Even with it, about "
        "{left} of all {need} children in need in a quarter are reached by nobody.",
        area=t.name_area(best.area),
        gain=t.format_number(best.gain.mean),
        interval=t.format_interval(best.gain),
        need=t.format_number(plan.totals.need.mean),
        left=t.format_number(plan.totals.need.mean - met.mean - best.gain.mean),
    )


def word_toward_risen(t: Speech, plan: PlanSummary, risen: Collection[str]) -> str:
    """Return the sentence that teams go where internal trafficking rose; empty if they do not.

    risen : codes of the areas where it makes up a larger share of the children met than before.
    """
    coming = {code: _count_coming(plan, code) for code in risen}
    places = [code for code, units in coming.items() if units > 0]
    if plan.answer == "keep" or plan.setting.pathway == "cross_border" or not places:
        return ""
    return t.format_plural(
        "Internal trafficking makes up a larger share than before in {areas}, and {count} more team goes there.",
        "Internal trafficking makes up a larger share than before in {areas}, and {count} more teams go there.",
        sum(coming[code] for code in places),
        areas=t.join_and([t.name_area(code) for code in places]),
    )


def list_reasons_to_leave(t: Speech, plan: PlanSummary) -> Iterator[str]:
    """Yield a sentence for Tirana and for Durrës if teams leave them: how many teams stand for how much need."""
    rows = {row.area: row for row in plan.coverage}
    for code in reversed(WATCHED):
        ends = {find_region(move.end) for move in plan.moves if move.start == code} - {code}
        there = [rows[end] for end in ends if end in rows]
        if code in rows and there and _count_coming(plan, code) < 0:
            yield t(
                "Why teams leave {area}: it has {units} for {need} children in need per quarter, and the areas to "
                "which they go have {others} for {more}.",
                area=t.name_area(code),
                units=t.format_number(sum(rows[code].units_today.values())),
                need=t.format_number(rows[code].need),
                others=t.format_number(sum(sum(row.units_today.values()) for row in there)),
                more=t.format_number(sum(row.need for row in there)),
            )


def _count_coming(plan: PlanSummary, code: str) -> int:
    return sum(move.units * ((move.end == code) - (move.start == code)) for move in plan.moves)


def word_unknown_ways(t: Speech, plan: PlanSummary) -> str:
    """Return a sentence on the areas to which units move although the ways there are not known; empty if none do."""
    places = dict.fromkeys(move.end for move in plan.moves if move.end in plan.unknown_ways)
    if not places:
        return ""
    return t(
        "The ways in {areas} are not known (islands without a travel time): ask somebody who knows them first.",
        areas=t.list_areas(places, 4),
    )


def list_outings(t: Speech, plan: PlanSummary) -> list[str]:
    """Return a line for each team that would work in another area for a part of its days."""
    return [
        t(
            "{kind} of {start}: {days} days per quarter in {area}",
            kind=capitalise(t.name_kind(outing.kind)),
            start=t.name_area(outing.start),
            area=t.name_area(outing.area),
            days=t.format_number(outing.units * TEAM_DAYS, 0),
        )
        for outing in plan.away
        if outing.units * TEAM_DAYS >= 1
    ]
