"""Sentences on the results of the risk model for all areas: where rates are high or low, and what changed.

The Risk page and the briefing use these sentences. Areas are compared only within their country.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from dashboard.narrative.area import word_change_in, word_doubt
from dashboard.narrative.judgement import AreaJudgement, Burden, Change, Statement, judge_areas, read_country_changes
from dashboard.narrative.risk import FALLING, RISING
from dashboard.narrative.shift import POSSIBLE_BREAK, list_shifts
from dashboard.narrative.speech import PATHWAYS, Speech
from dashboard.site.current_release import CurrentRelease, read_risk_manifest
from data.message import mark
from geo.layers.risk import CERTAINTIES

_LEVELS = {
    "very_high": mark("very high: {areas}"),
    "high": mark("high: {areas}"),
    "above": mark("above average: {areas}"),
    "low": mark("low: {areas}"),
}
_TOP = ("very_likely", "likely")  # certainties that are said of areas among the five with the most children


def list_levels(t: Speech, current: CurrentRelease, most: int | None = None) -> list[str]:
    """Return a text on the areas with a high or low rate for each country and pathway.

    Each list of areas in a text has at most `most` names, all if None. Without any result, one sentence says so.
    """
    countries = dict.fromkeys(area.country for area in judge_areas(current).values())
    levels = [_word_rates(t, current, country, pathway, most) for country in countries for pathway in PATHWAYS]
    sentences = list(dict.fromkeys(filter(None, levels)))
    return sentences or [t("The release has no result of the risk model for its counties and regions.")]


def word_level(
    t: Speech,
    current: CurrentRelease,
    country: str,
    pathway: str,
    most: int | None = None,
    claims: Collection[str] = tuple(_LEVELS),
) -> str:
    """Return a sentence on the areas of a country with a high or low rate on a pathway.

    The sentence has only the claims in `claims`; if no area has one of these, it has all claims. For each claim it
    names at most `most` areas, all if None. If the model has no result because the country has no outreach or no child
    past the stage “at risk”, the sentence says so; for other countries without a result, the text is empty.
    """
    inside = _list_inside(current, country, pathway)
    if inside:
        area_claims = {area.rates[pathway].claim for area in inside}
        return _word_level(t, country, pathway, inside, most, claims if area_claims & set(claims) else tuple(_LEVELS))
    is_silent = any(a.country == country and a.doubt == "silent" for a in judge_areas(current).values())
    return word_doubt(t, country, "silent") if is_silent else ""


def _list_inside(current: CurrentRelease, country: str, pathway: str) -> list[AreaJudgement]:
    judged = judge_areas(current).values()
    return [area for area in judged if area.country == country and pathway in area.rates]


def _word_rates(t: Speech, current: CurrentRelease, country: str, pathway: str, most: int | None) -> str:
    """Return sentences on high and low rates, the areas with the most children in need, and the number not judged."""
    inside = _list_inside(current, country, pathway)
    burdens = {area.area: area.burdens[pathway] for area in inside if pathway in area.burdens}
    unsure, all_areas = (t.format_number(n) for n in (sum(not a.rates[pathway].claim for a in inside), len(inside)))
    rest = t("Cannot tell: {unsure} of {all} areas.", unsure=unsure, all=all_areas) if unsure != "0" else ""
    level = word_level(t, current, country, pathway, most)
    return " ".join(filter(None, (level, _word_top(t, burdens, most), rest)))


def word_times(t: Speech) -> str:
    """Return sentences that explain the sign × in the sentences on rates."""
    return t(
        "× compares the rate with the national average, allowing for population and outreach. It tips, and is no "
        "longer said, if teams there find so many times as many children a day as elsewhere."
    )


def count_undecided(current: CurrentRelease) -> tuple[int, int]:
    """Return the number of rates on which no claim can be made, and the number of all rates (area and pathway)."""
    rates = [rate for area in judge_areas(current).values() for rate in area.rates.values()]
    return sum(not rate.claim for rate in rates), len(rates)


def _word_level(
    t: Speech, country: str, pathway: str, inside: list[AreaJudgement], most: int | None, claims: Collection[str]
) -> str:
    rates = {area.area: area.rates[pathway] for area in sorted(inside, key=lambda area: -area.rates[pathway].value)}
    parts = []
    for claim, words in _LEVELS.items():
        named = [_word_rate(t, code, rate) for code, rate in rates.items() if rate.claim == claim and claim in claims]
        if named:
            ordered = named[::-1] if claim == "low" else named  # the most unlike the average first
            parts.append(t(words, areas=t.list_names(ordered, most)))
    head = t("{country}, {pathway}", country=t.name_area(country), pathway=t.name_pathway(pathway))
    return f"{head}: {t.join_parts(parts) or t('no area is likely to be far above or far below the national average')}."


def _word_rate(t: Speech, area: str, rate: Statement) -> str:
    certainty = f", {t(CERTAINTIES[rate.certainty])}" if rate.certainty in CERTAINTIES else ""
    tips = "" if math.isnan(rate.tipping) else t(", tips at {factor}×", factor=t.format_number(rate.tipping, 2))
    return f"{t.name_area(area)} ({t.format_number(rate.value, 2)}×{certainty}{tips})"


def _word_top(t: Speech, burdens: Mapping[str, Burden], most: int | None) -> str:
    """Return a sentence on the areas that are at least likely to be among the five with the most children in need.

    Empty if there is no such area.
    """
    ordered = sorted(burdens.items(), key=lambda pair: pair[1].rank.value)
    top = [(code, burden.rank.top) for code, burden in ordered if burden.rank.top in _TOP]
    names = [f"{t.name_area(code)} ({t(CERTAINTIES[certainty])})" for code, certainty in top]
    return t("Most children newly in need: {areas}.", areas=t.list_names(names, most)) if names else ""


def list_changes(t: Speech, current: CurrentRelease, most: int | None = None) -> list[str]:
    """Return the first `most` sentences on changes; all if None.

    First come sentences on the share of internal trafficking in Durrës and Tirana, then on each area whose rate rose or
    fell, then on whole countries. If no rate clearly changed, or no change was calculated, a sentence says so.
    """
    changes = [*_list_area_changes(t, current), *_list_country_changes(t, current)]
    known = [change for area in judge_areas(current).values() for change in area.changes.values()]
    if not changes and any(change.claim for change in known):
        changes = [t("No area is clearly up or down on the year before.")]
    elif not changes and known:
        changes = [t("Cannot tell whether the rate of the last year rose or fell compared with the year before.")]
    return [*list_shifts(t, current), *changes][:most] or [
        t("The release has no changes calculated by the risk model.")
    ]


def _list_area_changes(t: Speech, current: CurrentRelease) -> Iterator[str]:
    for code, area in judge_areas(current).items():
        for pathway, change in area.changes.items():
            if change.claim in (*RISING, *FALLING):
                yield _word_change(t, current, code, pathway, change)


def _list_country_changes(t: Speech, current: CurrentRelease) -> Iterator[str]:
    """Yield a sentence for each country and pathway on whose change in the last year a claim can be made."""
    for country, changes in read_country_changes(current).items():
        for pathway, change in changes.items():
            if change.claim:
                yield _word_change(t, current, country, pathway, change)


def _word_change(t: Speech, current: CurrentRelease, place: str, pathway: str, change: Change) -> str:
    sentence, manifest = word_change_in(t, place, pathway, change), read_risk_manifest(current)
    jumped = manifest is not None and manifest.trends.has_jump(place, pathway, change.period)
    return f"{sentence} {t(POSSIBLE_BREAK)}" if jumped and change.claim in RISING else sentence
