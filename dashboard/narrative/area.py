"""Sentences on one county or region, the same on every page. See narrative/judgement.py."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dashboard.narrative.judgement import (
    Amount,
    AreaAdvice,
    AreaJudgement,
    Burden,
    Change,
    Doubt,
    ShareFound,
    Statement,
)
from dashboard.narrative.risk import list_statements, list_warnings
from dashboard.narrative.speech import Speech
from data.message import mark
from geo.layers.risk import CERTAINTIES, CHANGES, RATES, Claim
from risk.planning.verdict import Answer

_ADVICE: Mapping[Answer, str] = {
    "do": mark("The plan advises: {moved}."),
    "optional": mark("Optional, for whoever can move easily: {moved}."),
    "keep": mark("Considered, not advised: {moved}."),
}
# The claims on ranks that are said in words (risk/model/burden.py).
RANKS = {
    "top": mark("among the five with the most"),
    "upper_half": mark("in the upper half by number of children"),
    "lower_half": mark("in the lower half by number of children"),
    "not_top": mark("outside the five with the most"),
}
# By how teams would have to find: better (1), as well (0), worse (-1).
_TIPPING = {
    1: mark(
        "It would no longer be called {claim} if teams there found {factor} times as many children a day as "
        "{elsewhere}."
    ),
    0: mark("It would not be called {claim} if teams there found just as many children a day as {elsewhere}."),
    -1: mark(
        "It would no longer be called {claim} if teams there found only {factor} times as many children a day as "
        "{elsewhere}."
    ),
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
    """Return sentences on the rate over the whole time, the claim on it and what would undo it; empty for None."""
    if rate is None:
        return ""
    sentence = t(
        "Rate of {pathway} over the whole time: {said}, {value} times the national average ({low} to {high}).",
        pathway=t.name_pathway(pathway),
        said=word_claim(t, rate, RATES),
        **fill_ends(t, rate, 2),
    )
    return _add(sentence, word_tipping(t, rate))


def fill_ends(t: Speech, estimate: Amount | Statement, decimals: int | None = None) -> dict[str, str]:
    """Return the values for a message about an estimate with its interval."""
    return {name: t.format_number(getattr(estimate, name), decimals) for name in ("value", "low", "high")}


def _fill_amount(t: Speech, burden: Burden) -> dict[str, object]:
    """Return the values for a message about a number of children with its interval and its rank."""
    rank = burden.rank
    ranks = {"rank": rank.value, "areas": rank.areas, "first": rank.first, "last": rank.last}
    return {**fill_ends(t, burden.amount), **ranks}


def word_burden(t: Speech, judged: AreaJudgement, pathway: str) -> str:
    """Return sentences on the children newly in need in a quarter, how they are computed, and the area's rank.

    Empty if the number is not known.
    """
    burden = judged.burdens.get(pathway)
    if burden is None:
        return ""
    sentence = t(
        "About {value} children are newly in need there in a quarter ({pathway}, 95 % interval {low} to {high}): "
        "{basis}. Rank {rank} of {areas} in the country (95 % interval {first} to {last}), {certainty} among the five "
        "with the most.",
        pathway=t.name_pathway(pathway),
        basis=word_share_found(t, judged.share_found),
        certainty=t(CERTAINTIES[burden.rank.top]),
        **_fill_amount(t, burden),
    )
    return _add(sentence, word_tipping(t, burden))


def word_share_found(t: Speech, share: ShareFound | None) -> str:
    """Return words on how a number of children in need is computed, with the share found by which it is divided."""
    if share is None:
        return t("the children found, divided by an assumed share found")
    low, high = (t.format_number(100 * end, 0) for end in (share.low, share.high))
    if share.assumed:
        return t("the children found, divided by an assumed share found of {low} to {high} %", low=low, high=high)
    return t(
        "the children found, divided by the share found that partners' overlapping lists show, {low} to {high} %",
        low=low,
        high=high,
    )


def word_tipping(t: Speech, statement: Statement | Burden) -> str:
    """Return a sentence on how much better or worse teams would have to find for a claim to lapse.

    Empty if no claim is made, or if even a factor of 20 would not undo it.
    """
    claims = CHANGES if isinstance(statement, Change) else RATES
    names = RANKS if isinstance(statement, Burden) else {code: claim.name for code, claim in claims.items()}
    if statement.claim not in names or math.isnan(statement.tipping):
        return ""
    return t(
        _TIPPING[int(statement.tipping >= 1.005) - int(statement.tipping <= 0.995)],
        claim=t(names[statement.claim]),
        factor=t.format_number(statement.tipping, 2),
        elsewhere=t("in the year before") if isinstance(statement, Change) else t("elsewhere"),
    )


def _add(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def word_change(t: Speech, change: Change | None) -> str:
    """Return sentences that compare the rates of the last year and the year before; empty if `change` is None."""
    if change is None:
        return ""
    sentence = t(
        "The rate of the last year: {said}, {value} times the year before ({low} to {high}).",
        said=word_claim(t, change, CHANGES),
        **fill_ends(t, change, 2),
    )
    return _add(sentence, word_tipping(t, change))


def word_change_in(t: Speech, place: str, pathway: str, change: Change) -> str:
    """Return a sentence on the change of the rate in the last year in an area or a country.

    Further sentences say what would undo it, and warn if outreach may be the reason, or if reports and outreach do not
    both show the change.
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
    return _add(sentence, word_tipping(t, change), *warnings)


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
