"""Sentences on one county or region, the same on every page. See narrative/judgement.py."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.narrative.judgement import Amount, AreaAdvice, AreaJudgement, Burden, Change, Doubt, Statement
from dashboard.narrative.risk import list_statements, list_warnings
from dashboard.narrative.speech import Speech
from data.message import mark
from geo.layers.risk import CERTAINTIES, CHANGES, RATES, Claim
from risk.planning.result import Answer

_ADVICE: Mapping[Answer, str] = {
    "move": mark("The plan advises: {moved}."),
    "small": mark("A small gain, almost sure, worth it where the moves are easy: {moved}."),
    "nothing": mark("Considered, not sure enough to advise: {moved}."),
}
DOUBTS: Mapping[Doubt, str] = {
    "few": mark("It cannot be said yet how many children are not reached in {country}: too few records"),
    "silent": mark(
        "{country} shows no child past the stage “at risk” and no day of outreach in this release, so no figure"
    ),
}


def word_area(t: Speech, judged: AreaJudgement, advice: AreaAdvice | None, pathway: str) -> list[str]:
    """Return the known sentences on an area: unmet need, rate, change, and what the plan does there."""
    sentences = [
        word_unmet(t, judged),
        word_rate(t, judged.rates.get(pathway), pathway),
        word_change(t, judged.changes.get(pathway)),
        word_area_advice(t, advice),
    ]
    return [sentence for sentence in sentences if sentence]


def word_unmet(t: Speech, judged: AreaJudgement) -> str:
    """Return a sentence on how many children in need are not reached in a quarter, and the rank of the area.

    If need cannot be estimated in the country, the sentence says why. Empty if the number was not calculated.
    """
    if judged.doubt:
        return word_doubt(t, judged.country, judged.doubt)
    if judged.unmet is None:
        return ""
    return t(
        "About {value} children in need (all pathways) are not reached in a quarter (95 % interval {low} to {high}): "
        "rank {rank} of {areas} in the country ({first} to {last}).",
        **_fill_amount(t, judged.unmet),
    )


def word_doubt(t: Speech, country: str, doubt: Doubt) -> str:
    """Return a sentence that says why need cannot be estimated in a country."""
    return f"{t(DOUBTS[doubt], country=t.name_area(country))}."


def word_rate(t: Speech, rate: Statement | None, pathway: str) -> str:
    """Return a sentence with the rate over the whole time and the claim on it; empty if `rate` is None."""
    if rate is None:
        return ""
    return t(
        "Rate of {pathway} over the whole time: {said}, {value} times the national average ({low} to {high}).",
        pathway=t.name_pathway(pathway),
        said=word_claim(t, rate, RATES),
        **fill_ends(t, rate, 2),
    )


def fill_ends(t: Speech, estimate: Amount | Statement, decimals: int | None = None) -> dict[str, str]:
    """Return the values for a message about an estimate with its interval."""
    return {name: t.format_number(getattr(estimate, name), decimals) for name in ("value", "low", "high")}


def _fill_amount(t: Speech, burden: Burden) -> dict[str, object]:
    """Return the values for a message about a number of children with its interval and its rank."""
    rank = burden.rank
    ranks = {"rank": rank.value, "areas": rank.areas, "first": rank.first, "last": rank.last}
    return {**fill_ends(t, burden.amount), **ranks}


def word_burden(t: Speech, burden: Burden | None, pathway: str) -> str:
    """Return a sentence on the children newly in need in a quarter and the area's rank; empty if `burden` is None."""
    if burden is None:
        return ""
    return t(
        "About {value} children are newly in need there in a quarter ({pathway}, 95 % interval {low} to {high}), "
        "those whom nobody meets included: rank {rank} of {areas} in the country (95 % interval {first} to {last}), "
        "{certainty} among the five with the most.",
        pathway=t.name_pathway(pathway),
        certainty=t(CERTAINTIES[burden.rank.top]),
        **_fill_amount(t, burden),
    )


def word_change(t: Speech, change: Change | None) -> str:
    """Return a sentence that compares the rates of the last year and the year before; empty if `change` is None."""
    if change is None:
        return ""
    return t(
        "The rate of the last year: {said}, {value} times the year before ({low} to {high}).",
        said=word_claim(t, change, CHANGES),
        **fill_ends(t, change, 2),
    )


def word_change_in(t: Speech, place: str, pathway: str, change: Change) -> str:
    """Return a sentence on the change of the rate in the last year in an area or a country.

    Further sentences warn if outreach may be the reason, or if reports and outreach do not both show the change.
    """
    sentence = t(
        "{area}, {pathway}: {change}, {ratio} times the year before (95 % interval {low} to {high}).",
        area=t.name_area(place),
        pathway=t.name_pathway(pathway),
        change=word_claim(t, change, CHANGES),
        ratio=t.format_number(change.value, 2),
        low=t.format_number(change.low, 2),
        high=t.format_number(change.high, 2),
    )
    warnings = list_warnings(t, change.effort_ratio, effort=change.effort_warning, ways=change.ways_warning)
    return " ".join([sentence, *warnings])


def word_claim(t: Speech, statement: Statement, claims: Mapping[str, Claim]) -> str:
    """Return the words for a claim and its certainty, and for the weaker claim that is very likely, if there is one.

    If there is neither claim, the words are "cannot tell".
    """
    pairs = list_statements(statement.claim, statement.certainty, statement.surely)
    words = [
        f"{t(claims[claim].name)} ({t(CERTAINTIES[certainty])})" if certainty in CERTAINTIES else t(claims[claim].name)
        for claim, certainty in pairs
    ]
    return ", ".join(words) or t("cannot tell")


def word_area_advice(t: Speech, advice: AreaAdvice | None) -> str:
    """Return a sentence on the units that a plan moves from and to an area; empty if `advice` is None."""
    if advice is None:
        return ""
    if not advice.leaving and not advice.coming:
        return t("The plan moves no team from or to this area.")
    parts = []
    if advice.leaving:
        parts.append(t.format_plural("{count} team would leave", "{count} teams would leave", advice.leaving))
    if advice.coming:
        parts.append(t.format_plural("{count} team would come", "{count} teams would come", advice.coming))
    moved = t.list_names(parts)
    return t(_ADVICE[advice.answer], moved=moved)
