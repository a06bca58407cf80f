"""The findings on the first screen: where most need is not reached, any change in Tirana and Durrës, and the advice.

Each finding has a lead, which says what was found, and a detail, which says how much and how sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dashboard.narrative.area import DOUBTS, fill_ends
from dashboard.narrative.judgement import AreaJudgement, Doubt, Unmet
from dashboard.narrative.plan import fill_net, word_certainty, word_verdict
from dashboard.narrative.speech import Speech
from dashboard.site.text import capitalise
from data.message import mark
from geo.layers.risk import CERTAINTIES
from risk.model.statements import LIKELY, VERY_LIKELY
from risk.planning.summary import PlanSummary
from risk.report.shift import REFERENCE, WATCHED, AreaShift

_ENOUGH = 80.0  # of 100 cases in which a rise is seen
_ORDER = ("rose", "fell", "same", "few")
_SHARES = {
    "rose": mark("up from {before} to {after}"),
    "fell": mark("down from {before} to {after}"),
    "unclear": mark("{before} before, {after} now"),
}
_LEADS = {
    "rose": mark("internal trafficking makes up a larger share of the children met in {areas}"),
    "fell": mark("internal trafficking makes up a smaller share of the children met in {areas}"),
    "same": mark("the share of internal trafficking did not clearly change in {areas}"),
    "few": mark("in {areas} too few children were met to tell whether it changed"),
}


@dataclass(frozen=True)
class Finding:
    """A finding for the first screen. lead : what was found. detail : how much and how sure."""

    lead: str
    detail: str = ""


def word_answer(t: Speech, areas: Mapping[str, AreaJudgement], plan: PlanSummary | None) -> list[Finding]:
    """Return the findings from the judgement of areas (by code) and the usual plan, the most important first."""
    return [*_word_need(t, areas.values()), word_watched(t, areas), word_advice(t, plan)]


def _word_need(t: Speech, areas: Iterable[AreaJudgement]) -> Iterator[Finding]:
    """Yield a finding that names the area of each country with the most children in need who are not reached.

    For a country, the two areas with the most such children are named if the first is not likely to have the most. A
    second finding is on the countries where need cannot be estimated: why, and what would change it.
    """
    ranked: dict[str, list[tuple[str, Unmet]]] = {}
    doubts: dict[str, Doubt] = {}
    for judged in areas:
        if judged.doubt:
            doubts[judged.country] = judged.doubt
        if judged.unmet is not None:
            ranked.setdefault(judged.country, []).append((judged.area, judged.unmet))
    if ranked:
        yield _word_ranked(t, ranked)
    if doubts:
        leads = [t(DOUBTS[doubt], country=t.name_area(country)) for country, doubt in sorted(doubts.items())]
        yield Finding(t.join_parts(leads), t("more quarters of records and of days of outreach would change that"))


def _word_ranked(t: Speech, ranked: Mapping[str, list[tuple[str, Unmet]]]) -> Finding:
    places, amounts, chances = [], [], []
    for country, ordered in ranked.items():
        ordered.sort(key=lambda pair: (pair[1].rank.value, -pair[1].amount.value))  # as the list and the map
        chances.append(ordered[0][1].chance_first)
        first = ordered[: 1 if chances[-1] >= LIKELY else 2]
        names = t.join_or([t.name_area(code) for code, _unmet in first])
        places.append(f"{names} ({t.name_area(country)})")
        amounts.append(
            t.join_or([t("{value} ({low} to {high})", **fill_ends(t, unmet.amount)) for _code, unmet in first])
        )
    detail = t("about {numbers} children a quarter", numbers=t.join_and(amounts))
    if min(chances) >= LIKELY:
        word = t(CERTAINTIES["very_likely" if min(chances) >= VERY_LIKELY else "likely"])
        detail = t.join_parts([word, detail])
    # Where two areas of a country are named, no "and" stands beside their "or".
    listed = t.join_and(places) if min(chances) >= LIKELY else t.list_names(places)
    return Finding(t("The most children in need not reached are in {areas}", areas=listed), detail)


def word_watched(t: Speech, areas: Mapping[str, AreaJudgement]) -> Finding:
    """Return the finding on whether the share of internal trafficking changed in Tirana and in Durrës.

    If a city shows no clear change, the detail also says how often a rise would be seen, where this is known. If no
    share is known for either city, the finding says that no change can be told.
    """
    shifts = {code: judged.share for code in reversed(WATCHED) if (judged := areas.get(code)) and judged.share}
    if not shifts:
        return Finding(
            t("Whether Tirana and Durrës changed cannot be told"), t("that takes two complete years with numbers")
        )
    groups = {kind: [code for code, shift in shifts.items() if _classify(shift) == kind] for kind in _ORDER}
    leads = [
        t(_LEADS[kind], areas=t.join_and([t.name_area(code) for code in codes]))
        for kind, codes in groups.items()
        if codes
    ]
    lead = t.join_parts(leads)
    order = [code for kind in _ORDER for code in groups[kind]]
    details = [_word_shift(t, shifts[code], named=len(leads) > 1) for code in order]
    sure = {shift.verdict for shift in shifts.values()} <= {"rose", "fell"}
    detail = t.join_and(details) if len(leads) == 1 and sure else t.join_parts(details)
    if any(shift.verdict != "unclear" for shift in shifts.values()):
        detail = t.join_parts([t(CERTAINTIES["very_likely"]), detail])
    return Finding(capitalise(lead), detail)


def _classify(shift: AreaShift) -> str:
    if shift.verdict != "unclear":
        return shift.verdict
    # Without a power (no share can rise so far), nothing is known of too few children.
    return "few" if shift.power is not None and shift.power < _ENOUGH else "same"


def _word_shift(t: Speech, shift: AreaShift, *, named: bool) -> str:
    """Return the shares before and after; without a clear change, also how often a rise would be seen, if known."""
    name = f"{t.name_area(shift.areas[0])} " if named else ""
    before, after = t.format_percent(shift.before / 100.0), t.format_percent(shift.after / 100.0)
    shares = name + t(_SHARES[shift.verdict], before=before, after=after)
    if shift.verdict != "unclear" or shift.power is None:
        return shares
    return t(
        "{shares}, a rise of {points} points would be seen in {power} of 100 cases",
        shares=shares,
        points=t.format_number(100.0 * REFERENCE, 0),
        power=t.format_number(shift.power, 0),
    )


def word_advice(t: Speech, plan: PlanSummary | None) -> Finding:
    """Return the verdict on the plan as a finding; without a plan, why there is none.

    The detail has the gain in the year after the moves and how sure it is; if things should stay as they are, why.
    """
    if plan is None:
        return Finding(
            t("No plan of moves was calculated"),
            t("the release shows no posts to move, or none can move within the usual rules"),
        )
    verdict = word_verdict(t, plan)
    if plan.answer == "keep" or plan.verdict.year is None:
        return Finding(verdict.head, verdict.text[:1].lower() + verdict.text[1:].rstrip("."))
    gain = t(
        "{certainty}, about {net} more children in the year after ({interval})",
        certainty=word_certainty(t, plan.verdict.year),
        **fill_net(t, plan.verdict.year),
    )
    return Finding(verdict.head, gain)
